package io.github.kolors4j.ipadapter;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.LayerNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A few tokens made of many: queries that look at the features of a picture (Alayrac et al. 2022);
 * diffusers' {@code IPAdapterPlusImageProjection} without its queries, Kolors' {@code
 * FacePerceiverResampler}.
 */
record PerceiverResampler(
    Linear projIn, List<PerceiverAttention> layers, Linear projOut, LayerNorm normOut) {

  static PerceiverResampler load(Weights weights, ResamplerSize size) {
    Weights layers = weights.at("layers");
    return new PerceiverResampler(
        Linear.load(weights.at("proj_in"), size.embedDim(), size.dim()),
        IntStream.range(0, size.depth())
            .mapToObj(i -> PerceiverAttention.load(layers.at(i), size))
            .toList(),
        Linear.load(weights.at("proj_out"), size.dim(), size.outputDim()),
        LayerNorm.load(weights.at("norm_out"), size.outputDim(), PerceiverAttention.NORM_EPS));
  }

  /**
   * {@code latents [n, t, dim]} and {@code features [n, s, embedDim]} to tokens {@code [n, t,
   * outputDim]}.
   */
  Tensor forward(Tensor latents, Tensor features) {
    try (var scope = features.workspace().scope()) {
      Tensor x = projIn.forward(features); // [n, s, dim]
      Tensor tokens = latents;
      for (PerceiverAttention layer : layers) {
        tokens = layer.forward(tokens, x); // [n, t, dim]
      }
      return scope.keep(normOut.forward(projOut.forward(tokens)));
    }
  }
}
