/**
 * The operations of the models, one concept a class. Each checks its shapes, splits its work over
 * the workspace's threads and calls the kernels; results are new tensors of the same workspace.
 *
 * <p>Every result is a function of the inputs alone: the number of threads and the vector width
 * never change a bit.
 */
@NullMarked
package io.github.kolors4j.tensor.ops;

import org.jspecify.annotations.NullMarked;
