/** Random numbers: those of PyTorch, so that a seed gives the picture it gives there. */
@NullMarked
package io.github.kolors4j.tensor.random;

import org.jspecify.annotations.NullMarked;
