package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Downsample2D;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import java.util.List;
import java.util.Optional;

/** Residual blocks, then half the size; diffusers {@code DownEncoderBlock2D}. */
record DownEncoderBlock2D(List<ResnetBlock2D> resnets, Optional<Downsample2D> downsampler) {
  /** Zeros below and to the right only. */
  private static final int DOWNSAMPLE_PADDING = 0;

  /** The channels of a block, and whether it ends in a downsampler. */
  record Channels(int in, int out, boolean addDownsample) {}

  static DownEncoderBlock2D load(Weights weights, Channels channels, AutoencoderKLConfig config) {
    return new DownEncoderBlock2D(
        ResnetBlock2D.loadAll(
            weights.at("resnets"),
            channels.in,
            channels.out,
            config.layersPerBlock(),
            UNetMidBlock2D.resnetConfig(config)),
        channels.addDownsample
            ? Optional.of(
                Downsample2D.load(weights.at("downsamplers.0"), channels.out, DOWNSAMPLE_PADDING))
            : Optional.empty());
  }

  /**
   * {@code x [n, h, w, cIn]} to {@code [n, ⌊h/2⌋, ⌊w/2⌋, cOut]}, without a downsampler {@code [n,
   * h, w, cOut]}. Each map is given back to {@code scope}, the innermost one, as soon as it has
   * been read, the first too.
   */
  Tensor forward(Tensor x, Workspace.Scope scope) {
    Tensor sample = x;
    for (ResnetBlock2D resnet : resnets) {
      Tensor input = sample;
      sample = resnet.forward(input); // [n, h, w, cOut]
      scope.release(input);
    }
    if (downsampler.isPresent()) {
      Tensor input = sample;
      sample = downsampler.get().forward(input);
      scope.release(input);
    }
    return sample; // [n, ⌊h/2⌋, ⌊w/2⌋, cOut]
  }
}
