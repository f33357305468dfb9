package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Activation;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import io.github.kolors4j.tensor.ops.Resampling;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Latents to pictures, by few convolutions; diffusers {@code DecoderTiny}.
 *
 * @param convIn from the latents
 * @param levels of rising size, the coarsest first
 */
record DecoderTiny(Conv2d convIn, List<Level> levels) {
  /** TAESD's latents are bounded softly, at three deviations. */
  private static final float BOUND = 3;

  /** Residual blocks and a convolution, at all levels but the last over twice the size. */
  record Level(List<AutoencoderTinyBlock> blocks, boolean doubles, Conv2d conv) {}

  static DecoderTiny load(Weights weights, AutoencoderTinyConfig config) {
    Weights layers = weights.at("layers");
    int c = config.channels();
    Conv2d convIn = Conv2d.load(layers.at(0), config.latentChannels(), c, 3);
    List<Level> levels = new ArrayList<>();
    int layer = 2; // after a ReLU
    int last = config.decoderBlocks().size() - 1;
    for (int i = 0; i <= last; i++) {
      int first = layer;
      int count = config.decoderBlocks().get(i);
      List<AutoencoderTinyBlock> blocks =
          IntStream.range(first, first + count)
              .mapToObj(each -> AutoencoderTinyBlock.load(layers.at(each), c))
              .toList();
      layer = first + count + (i < last ? 1 : 0); // after an upsampler
      Conv2d conv =
          i < last
              ? Conv2d.loadWithoutBias(layers.at(layer), c, c, 3, new Geometry(1, 1))
              : Conv2d.load(layers.at(layer), c, config.outChannels(), 3);
      levels.add(new Level(blocks, i < last, conv));
      layer++;
    }
    return new DecoderTiny(convIn, List.copyOf(levels));
  }

  /** {@code latents [1, h, w, latentChannels]} to {@code [1, H, W, outChannels]}, −1 to 1. */
  Tensor forward(Tensor latents) {
    try (var scope = latents.workspace().scope()) {
      Tensor bounded = latents.workspace().tensor(latents.shape());
      for (int i = 0; i < latents.shape().size(); i++) {
        bounded.data()[i] = (float) StrictMath.tanh(latents.data()[i] / BOUND) * BOUND;
      }
      Tensor x = convIn.forward(bounded);
      Activation.reluInPlace(x);
      for (Level level : levels) {
        for (AutoencoderTinyBlock block : level.blocks) {
          Tensor before = x;
          x = block.forward(before);
          scope.release(before);
        }
        if (level.doubles) {
          Tensor before = x;
          x = Resampling.nearest(before, 2 * before.dim(1), 2 * before.dim(2));
          scope.release(before);
        }
        Tensor before = x;
        x = level.conv.forward(before);
        scope.release(before);
      }
      for (int i = 0; i < x.shape().size(); i++) {
        x.data()[i] = x.data()[i] * 2 - 1; // from 0 to 1, as TAESD has learnt it
      }
      return scope.keep(x);
    }
  }
}
