package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Latents to pictures; diffusers {@code Decoder}. */
record Decoder(
    Conv2d convIn,
    UNetMidBlock2D midBlock,
    List<UpDecoderBlock2D> upBlocks,
    GroupNorm convNormOut,
    Conv2d convOut) {

  static Decoder load(Weights weights, AutoencoderKLConfig config) {
    List<Integer> channels = config.blockOutChannels();
    int c0 = channels.getFirst();
    int last = channels.size() - 1;
    List<UpDecoderBlock2D> upBlocks = new ArrayList<>();
    int out = channels.get(last);
    for (int i = 0; i <= last; i++) {
      int in = out;
      out = channels.get(last - i);
      upBlocks.add(
          UpDecoderBlock2D.load(
              weights.at("up_blocks").at(i),
              new UpDecoderBlock2D.Channels(in, out, i < last),
              config));
    }
    return new Decoder(
        Conv2d.load(weights.at("conv_in"), config.latentChannels(), channels.get(last), 3),
        UNetMidBlock2D.load(weights.at("mid_block"), config),
        List.copyOf(upBlocks),
        GroupNorm.load(
            weights.at("conv_norm_out"), c0, config.normNumGroups(), UNetMidBlock2D.NORM_EPS),
        Conv2d.load(weights.at("conv_out"), c0, config.outChannels(), 3));
  }

  /** {@code z [n, h, w, latentChannels]} to {@code [n, H, W, outChannels]}. */
  Tensor forward(Tensor z, Tap.Pass tap) {
    try (var scope = z.workspace().scope()) {
      Tensor input = convIn.forward(z); // [n, h, w, c]
      tap.output("decoder.conv_in", input);

      // middle
      Tensor sample = midBlock.forward(input);
      scope.release(input);
      tap.output("decoder.mid_block", sample);

      // up
      for (int i = 0; i < upBlocks.size(); i++) {
        sample = upBlocks.get(i).forward(sample, scope);
        tap.output("decoder.up_blocks." + i, sample);
      } // [n, H, W, c0]

      // post-process
      Tensor normed = convNormOut.forwardSilu(sample);
      scope.release(sample);
      sample = convOut.forward(normed); // [n, H, W, outChannels]
      tap.output("decoder.conv_out", sample);
      return scope.keep(sample);
    }
  }
}
