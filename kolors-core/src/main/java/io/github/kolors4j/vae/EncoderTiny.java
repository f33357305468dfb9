package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Pictures to latents, by few convolutions; diffusers {@code EncoderTiny}.
 *
 * @param levels of falling size, the finest first
 * @param convOut to the latents
 */
record EncoderTiny(List<Level> levels, Conv2d convOut) {

  /** A convolution, at all levels but the first with a stride of 2, and residual blocks. */
  record Level(Conv2d conv, List<AutoencoderTinyBlock> blocks) {}

  static EncoderTiny load(Weights weights, AutoencoderTinyConfig config) {
    Weights layers = weights.at("layers");
    int c = config.channels();
    List<Level> levels = new ArrayList<>();
    int layer = 0;
    for (int i = 0; i < config.encoderBlocks().size(); i++) {
      Conv2d conv =
          i == 0
              ? Conv2d.load(layers.at(layer), config.inChannels(), c, 3)
              : Conv2d.loadWithoutBias(layers.at(layer), c, c, 3, new Geometry(2, 1));
      int first = layer + 1;
      int count = config.encoderBlocks().get(i);
      levels.add(
          new Level(
              conv,
              IntStream.range(first, first + count)
                  .mapToObj(each -> AutoencoderTinyBlock.load(layers.at(each), c))
                  .toList()));
      layer = first + count;
    }
    return new EncoderTiny(
        List.copyOf(levels), Conv2d.load(layers.at(layer), c, config.latentChannels(), 3));
  }

  /** {@code sample [1, H, W, inChannels]} from −1 to 1, to {@code [1, h, w, latentChannels]}. */
  Tensor forward(Tensor sample) {
    try (var scope = sample.workspace().scope()) {
      Tensor x = sample.workspace().tensor(sample.shape());
      for (int i = 0; i < sample.shape().size(); i++) {
        x.data()[i] = (sample.data()[i] + 1) / 2; // from 0 to 1, as TAESD has learnt it
      }
      for (Level level : levels) {
        Tensor input = x;
        x = level.conv.forward(input);
        scope.release(input);
        for (AutoencoderTinyBlock block : level.blocks) {
          Tensor before = x;
          x = block.forward(before);
          scope.release(before);
        }
      }
      return scope.keep(convOut.forward(x));
    }
  }
}
