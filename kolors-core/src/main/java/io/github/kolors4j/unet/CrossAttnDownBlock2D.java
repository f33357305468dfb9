package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Downsample2D;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Residual blocks, each followed by a transformer, then half the size; diffusers {@code
 * CrossAttnDownBlock2D}.
 */
record CrossAttnDownBlock2D(
    List<ResnetBlock2D> resnets,
    List<Transformer2DModel> attentions,
    Optional<Downsample2D> downsampler)
    implements DownBlock {

  static CrossAttnDownBlock2D load(Weights weights, Channels channels, BlockConfig config) {
    return new CrossAttnDownBlock2D(
        DownBlock2D.loadResnets(weights.at("resnets"), channels, config),
        loadAttentions(weights.at("attentions"), config),
        DownBlock2D.loadDownsampler(weights, channels));
  }

  static List<Transformer2DModel> loadAttentions(Weights weights, BlockConfig config) {
    List<Transformer2DModel> attentions = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      attentions.add(Transformer2DModel.load(weights.at(i), config.transformer(), config.unet()));
    }
    return List.copyOf(attentions);
  }

  @Override
  public Output forward(Tensor x, Tensor temb, Conditioning conditioning) {
    try (var scope = x.workspace().scope()) {
      List<Tensor> residuals = new ArrayList<>();
      Tensor hiddenStates = x;
      for (int i = 0; i < resnets.size(); i++) {
        hiddenStates = resnets.get(i).forward(hiddenStates, temb); // [n, h, w, cOut]
        hiddenStates = attentions.get(i).forward(hiddenStates, conditioning);
        residuals.add(scope.keep(hiddenStates));
      }
      if (downsampler.isPresent()) {
        hiddenStates = downsampler.get().forward(hiddenStates); // [n, ⌈h/2⌉, ⌈w/2⌉, cOut]
        residuals.add(scope.keep(hiddenStates));
      }
      return new Output(hiddenStates, residuals);
    }
  }

  @Override
  public Stream<BasicTransformerBlock> transformerBlocks() {
    return attentions.stream().flatMap(attention -> attention.transformerBlocks().stream());
  }
}
