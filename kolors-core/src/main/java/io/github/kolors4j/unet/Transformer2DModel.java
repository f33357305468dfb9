package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Transformer blocks over the pixels of a feature map; diffusers {@code Transformer2DModel}.
 * Channels-last, a feature map is its list of tokens, so that both kinds of {@code
 * use_linear_projection} are one.
 */
record Transformer2DModel(
    GroupNorm norm, Linear projIn, List<BasicTransformerBlock> transformerBlocks, Linear projOut) {
  /** Not in the config, and not the U-Net's {@code norm_eps}. */
  private static final float NORM_EPS = 1e-6f;

  /** The sizes of one: {@code channels} in and out, {@code depth} transformer blocks. */
  record Size(int channels, int heads, int depth) {}

  static Transformer2DModel load(Weights weights, Size size, UNetEncoderConfig config) {
    int c = size.channels;
    List<BasicTransformerBlock> transformerBlocks = new ArrayList<>();
    for (int i = 0; i < size.depth; i++) {
      transformerBlocks.add(
          BasicTransformerBlock.load(
              weights.at("transformer_blocks").at(i), c, size.heads, config.crossAttentionDim()));
    }
    return new Transformer2DModel(
        GroupNorm.load(weights.at("norm"), c, config.normNumGroups(), NORM_EPS),
        projection(weights.at("proj_in"), c, config.useLinearProjection()),
        List.copyOf(transformerBlocks),
        projection(weights.at("proj_out"), c, config.useLinearProjection()));
  }

  private static Linear projection(Weights weights, int c, boolean useLinearProjection) {
    return useLinearProjection ? Linear.load(weights, c, c) : Linear.loadPointwise(weights, c, c);
  }

  /** {@code x [n, h, w, c]} to {@code [n, h, w, c]}. */
  Tensor forward(Tensor x, Conditioning conditioning) {
    try (var scope = x.workspace().scope()) {
      int n = x.dim(0);
      int h = x.dim(1);
      int w = x.dim(2);
      int c = x.dim(3);
      Tensor residual = x.reshape(n, h * w, c); // [n, h·w, c]

      Tensor hiddenStates = norm.forward(residual);
      hiddenStates = projIn.forward(hiddenStates);
      for (BasicTransformerBlock block : transformerBlocks) {
        Tensor input = hiddenStates;
        hiddenStates = block.forward(input, conditioning);
        scope.release(input);
      }
      hiddenStates = projOut.forward(hiddenStates, residual);
      return scope.keep(hiddenStates).reshape(n, h, w, c); // [n, h, w, c]
    }
  }
}
