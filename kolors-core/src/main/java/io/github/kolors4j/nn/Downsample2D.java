package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;

/**
 * Halves height and width; diffusers' {@code Downsample2D}.
 *
 * @param conv of stride 2
 */
public record Downsample2D(Conv2d conv) {
  /**
   * A layer.
   *
   * @param weights the layer's parameters
   * @param channels of input and output
   * @param padding zeros on every side; 0 as in the VAE means one below and one to the right
   * @return the layer
   */
  public static Downsample2D load(Weights weights, int channels, int padding) {
    return new Downsample2D(
        Conv2d.load(
            weights.at("conv"),
            channels,
            channels,
            3,
            padding == 0 ? new Geometry(2, 0, 1) : new Geometry(2, padding)));
  }

  /**
   * The layer.
   *
   * @param x {@code [n, h, w, c]}
   * @return {@code [n, h/2, w/2, c]}, rounded up with a padding of 1 and down with one of 0
   */
  public Tensor forward(Tensor x) {
    return conv.forward(x); // [n, h/2, w/2, c]
  }
}
