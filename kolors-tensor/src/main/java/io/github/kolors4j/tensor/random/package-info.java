/** Random numbers: those of PyTorch, so that a seed gives the picture it gives there. */
package io.github.kolors4j.tensor.random;
