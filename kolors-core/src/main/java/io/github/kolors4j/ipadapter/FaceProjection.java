package io.github.kolors4j.ipadapter;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.LayerNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Activation;
import io.github.kolors4j.tensor.ops.Elementwise;

/** A face's embedding and its picture to tokens; Kolors' {@code ProjPlusModel}. */
record FaceProjection(
    Linear proj0, Linear proj2, LayerNorm norm, PerceiverResampler perceiverResampler, int tokens) {

  static FaceProjection load(Weights weights, IpAdapterConfig config) {
    ResamplerSize size = config.resampler();
    Weights proj = weights.at("proj");
    return new FaceProjection(
        Linear.load(proj.at(0), config.faceDim(), config.faceHiddenDim()),
        Linear.load(proj.at(2), config.faceHiddenDim(), config.tokens() * size.dim()),
        LayerNorm.load(weights.at("norm"), size.dim(), PerceiverAttention.NORM_EPS),
        PerceiverResampler.load(weights.at("perceiver_resampler"), size),
        config.tokens());
  }

  /**
   * {@code idEmbeds [n, faceDim]} and {@code clipEmbeds [n, s, embedDim]} to {@code [n, tokens,
   * dim]}.
   */
  Tensor forward(Tensor idEmbeds, Tensor clipEmbeds) {
    try (var scope = idEmbeds.workspace().scope()) {
      int n = idEmbeds.dim(0);
      Tensor x = proj2.forward(Activation.gelu(proj0.forward(idEmbeds))); // [n, tokens · dim]
      x = norm.forward(x.reshape(n, tokens, x.dim(1) / tokens)); // [n, tokens, dim]
      return scope.keep(Elementwise.add(x, perceiverResampler.forward(x, clipEmbeds)));
    }
  }
}
