/** The inner loops, scalar and vector, behind one interface; not exported. */
package io.github.kolors4j.tensor.kernel;
