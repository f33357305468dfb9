/**
 * Shapes, activations, weights and the threads and buffers that one request works with.
 *
 * <p>Activations are dense row-major F32 arrays on the heap, channels-last; weights stay in the
 * memory-mapped file in the type they are stored in.
 */
@NullMarked
package io.github.kolors4j.tensor;

import org.jspecify.annotations.NullMarked;
