/**
 * The layers that the models are made of, named and split as in PyTorch and diffusers.
 *
 * <p>A layer is a record of its parameters with a {@code load} and a {@code forward}. Activations
 * are channels-last: {@code [n, h, w, c]} for feature maps, {@code [n, s, d]} for tokens.
 */
@NullMarked
package io.github.kolors4j.nn;

import org.jspecify.annotations.NullMarked;
