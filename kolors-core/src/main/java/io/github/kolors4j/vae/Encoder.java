package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Pictures to the moments of latents; diffusers {@code Encoder}. */
record Encoder(
    Conv2d convIn,
    List<DownEncoderBlock2D> downBlocks,
    UNetMidBlock2D midBlock,
    GroupNorm convNormOut,
    Conv2d convOut) {

  static Encoder load(Weights weights, AutoencoderKLConfig config) {
    List<Integer> channels = config.blockOutChannels();
    int last = channels.size() - 1;
    Conv2d convIn = Conv2d.load(weights.at("conv_in"), config.inChannels(), channels.getFirst(), 3);
    List<DownEncoderBlock2D> downBlocks = new ArrayList<>();
    int out = channels.getFirst();
    for (int i = 0; i <= last; i++) {
      int in = out;
      out = channels.get(i);
      downBlocks.add(
          DownEncoderBlock2D.load(
              weights.at("down_blocks").at(i),
              new DownEncoderBlock2D.Channels(in, out, i < last),
              config));
    }
    return new Encoder(
        convIn,
        List.copyOf(downBlocks),
        UNetMidBlock2D.load(weights.at("mid_block"), config),
        GroupNorm.load(
            weights.at("conv_norm_out"), out, config.normNumGroups(), UNetMidBlock2D.NORM_EPS),
        Conv2d.load(weights.at("conv_out"), out, 2 * config.latentChannels(), 3));
  }

  /** {@code x [n, H, W, inChannels]} to {@code [n, h, w, 2·latentChannels]}. */
  Tensor forward(Tensor x, Tap.Pass tap) {
    try (var scope = x.workspace().scope()) {
      Tensor sample = convIn.forward(x); // [n, H, W, c0]
      tap.output("encoder.conv_in", sample);

      // down
      for (int i = 0; i < downBlocks.size(); i++) {
        sample = downBlocks.get(i).forward(sample, scope);
        tap.output("encoder.down_blocks." + i, sample);
      } // [n, h, w, c]

      // middle
      sample = midBlock.forward(sample);
      tap.output("encoder.mid_block", sample);

      // post-process
      Tensor normed = convNormOut.forwardSilu(sample);
      sample = convOut.forward(normed); // [n, h, w, 2·latentChannels]
      tap.output("encoder.conv_out", sample);
      return scope.keep(sample);
    }
  }
}
