package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.nn.Upsample2D;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import java.util.List;
import java.util.Optional;

/** Residual blocks, then twice the size; diffusers {@code UpDecoderBlock2D}. */
record UpDecoderBlock2D(List<ResnetBlock2D> resnets, Optional<Upsample2D> upsampler) {

  /** The channels of a block, and whether it ends in an upsampler. */
  record Channels(int in, int out, boolean addUpsample) {}

  static UpDecoderBlock2D load(Weights weights, Channels channels, AutoencoderKLConfig config) {
    return new UpDecoderBlock2D(
        ResnetBlock2D.loadAll(
            weights.at("resnets"),
            channels.in,
            channels.out,
            config.layersPerBlock() + 1,
            UNetMidBlock2D.resnetConfig(config)),
        channels.addUpsample
            ? Optional.of(Upsample2D.load(weights.at("upsamplers.0"), channels.out))
            : Optional.empty());
  }

  /**
   * {@code x [n, h, w, cIn]} to {@code [n, 2h, 2w, cOut]}, without an upsampler {@code [n, h, w,
   * cOut]}. Each map is given back to {@code scope}, the innermost one, as soon as it has been
   * read, the first too: these maps are the largest of all.
   */
  Tensor forward(Tensor x, Workspace.Scope scope) {
    Tensor sample = x;
    for (ResnetBlock2D resnet : resnets) {
      Tensor input = sample;
      sample = resnet.forward(input); // [n, h, w, cOut]
      scope.release(input);
    }
    if (upsampler.isPresent()) {
      Tensor input = sample;
      sample = upsampler.get().forward(input, 2 * input.dim(1), 2 * input.dim(2));
      scope.release(input);
    }
    return sample; // [n, 2h, 2w, cOut]
  }
}
