package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.tensor.Tensor;
import java.util.stream.Stream;

/**
 * A transformer between two residual blocks, at the coarsest level; diffusers {@code
 * UNetMidBlock2DCrossAttn}.
 */
record UNetMidBlock2DCrossAttn(
    ResnetBlock2D resnet0, Transformer2DModel attention, ResnetBlock2D resnet1) {

  static UNetMidBlock2DCrossAttn load(Weights weights, int channels, BlockConfig config) {
    return new UNetMidBlock2DCrossAttn(
        ResnetBlock2D.load(weights.at("resnets.0"), channels, channels, config.resnet()),
        Transformer2DModel.load(weights.at("attentions.0"), config.transformer(), config.unet()),
        ResnetBlock2D.load(weights.at("resnets.1"), channels, channels, config.resnet()));
  }

  /** {@code x [n, h, w, c]}, {@code temb [n, d]} to {@code [n, h, w, c]}. */
  Tensor forward(Tensor x, Tensor temb, Conditioning conditioning) {
    try (var scope = x.workspace().scope()) {
      Tensor hiddenStates = resnet0.forward(x, temb); // [n, h, w, c]
      hiddenStates = attention.forward(hiddenStates, conditioning);
      return scope.keep(resnet1.forward(hiddenStates, temb));
    }
  }

  Stream<BasicTransformerBlock> transformerBlocks() {
    return attention.transformerBlocks().stream();
  }
}
