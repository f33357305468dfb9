package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.ComputedWeight;
import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.UpdatedWeight;

/**
 * A of an update {@code B · A} as a layer of its own, which gives as many channels as the rank.
 *
 * @param name that of the weight with the update
 * @param shape {@code [rank, in, kh, kw]} of a convolution
 * @param update the product
 */
record DownWeight(String name, Shape shape, LowRank update) implements ComputedWeight {
  /** A of a convolution's update, whose kernels are as large as the convolution's. */
  static DownWeight ofConvolution(UpdatedWeight sum) {
    Shape kernel = sum.shape();
    LowRank update = sum.update();
    Shape shape = Shape.of(update.rank(), kernel.dim(1), kernel.dim(2), kernel.dim(3));
    return new DownWeight(sum.name(), shape, update);
  }

  @Override
  public void compute(int row, int from, int count, float[] target, int at, Scratch scratch) {
    update.readDown(row, from, count, target, at);
  }

  /** {@code A of unet.conv_in.weight [16, 4, 3, 3]}. */
  @Override
  public String toString() {
    return "A of " + name + " " + shape;
  }
}
