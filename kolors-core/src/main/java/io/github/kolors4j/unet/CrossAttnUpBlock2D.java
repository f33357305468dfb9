package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.nn.Upsample2D;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Elementwise;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Residual blocks that each take in a skip and are followed by a transformer, then twice the size;
 * diffusers {@code CrossAttnUpBlock2D}.
 */
record CrossAttnUpBlock2D(
    List<ResnetBlock2D> resnets,
    List<Transformer2DModel> attentions,
    Optional<Upsample2D> upsampler)
    implements UpBlock {

  static CrossAttnUpBlock2D load(Weights weights, Channels channels, BlockConfig config) {
    return new CrossAttnUpBlock2D(
        UpBlock2D.loadResnets(weights.at("resnets"), channels, config),
        CrossAttnDownBlock2D.loadAttentions(weights.at("attentions"), config),
        UpBlock2D.loadUpsampler(weights, channels));
  }

  @Override
  public Tensor forward(
      Tensor x, Tensor temb, Conditioning conditioning, List<Tensor> residuals, Size size) {
    try (var scope = x.workspace().scope()) {
      List<Tensor> lastFirst = residuals.reversed();
      Tensor hiddenStates = x;
      for (int i = 0; i < resnets.size(); i++) {
        Tensor joined = Elementwise.concat(hiddenStates, lastFirst.get(i)); // [n, h, w, c + cSkip]
        hiddenStates = resnets.get(i).forward(joined, temb); // [n, h, w, cOut]
        scope.release(joined);
        hiddenStates = attentions.get(i).forward(hiddenStates, conditioning);
      }
      if (upsampler.isPresent()) {
        hiddenStates = upsampler.get().forward(hiddenStates, size.h(), size.w());
      } // [n, hOut, wOut, cOut]
      return scope.keep(hiddenStates);
    }
  }

  @Override
  public Stream<BasicTransformerBlock> transformerBlocks() {
    return attentions.stream().flatMap(attention -> attention.transformerBlocks().stream());
  }
}
