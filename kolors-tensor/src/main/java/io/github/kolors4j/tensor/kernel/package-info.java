/** The inner loops, scalar and vector, behind one interface; not exported. */
@NullMarked
package io.github.kolors4j.tensor.kernel;

import org.jspecify.annotations.NullMarked;
