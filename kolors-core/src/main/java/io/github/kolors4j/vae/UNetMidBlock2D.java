package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.tensor.Tensor;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An attention between two residual blocks, at the coarsest level; diffusers {@code
 * UNetMidBlock2D}.
 */
record UNetMidBlock2D(ResnetBlock2D resnet0, Optional<Attention> attention, ResnetBlock2D resnet1) {
  /** Of all normalizations of the VAE; not in the config. */
  static final float NORM_EPS = 1e-6f;

  static UNetMidBlock2D load(Weights weights, AutoencoderKLConfig config) {
    int c = config.blockOutChannels().getLast();
    return new UNetMidBlock2D(
        ResnetBlock2D.load(weights.at("resnets.0"), c, c, resnetConfig(config)),
        config.midBlockAddAttention()
            ? Optional.of(Attention.load(weights.at("attentions.0"), c, config))
            : Optional.empty(),
        ResnetBlock2D.load(weights.at("resnets.1"), c, c, resnetConfig(config)));
  }

  static ResnetBlock2D.Config resnetConfig(AutoencoderKLConfig config) {
    return new ResnetBlock2D.Config(OptionalInt.empty(), config.normNumGroups(), NORM_EPS);
  }

  /** {@code x [n, h, w, c]} to {@code [n, h, w, c]}. */
  Tensor forward(Tensor x) {
    try (var scope = x.workspace().scope()) {
      Tensor hiddenStates = resnet0.forward(x); // [n, h, w, c]
      if (attention.isPresent()) {
        hiddenStates = attention.get().forward(hiddenStates);
      }
      return scope.keep(resnet1.forward(hiddenStates));
    }
  }
}
