package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Downsample2D;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Residual blocks, then half the size; diffusers {@code DownBlock2D}. */
record DownBlock2D(List<ResnetBlock2D> resnets, Optional<Downsample2D> downsampler)
    implements DownBlock {
  /** The config's {@code downsample_padding}; no other is supported. */
  static final int PADDING = 1;

  static DownBlock2D load(Weights weights, Channels channels, BlockConfig config) {
    return new DownBlock2D(
        loadResnets(weights.at("resnets"), channels, config), loadDownsampler(weights, channels));
  }

  static List<ResnetBlock2D> loadResnets(Weights weights, Channels channels, BlockConfig config) {
    return ResnetBlock2D.loadAll(
        weights, channels.in(), channels.out(), config.layers(), config.resnet());
  }

  static Optional<Downsample2D> loadDownsampler(Weights weights, Channels channels) {
    return channels.addDownsample()
        ? Optional.of(Downsample2D.load(weights.at("downsamplers.0"), channels.out(), PADDING))
        : Optional.empty();
  }

  @Override
  public Output forward(Tensor x, Tensor temb, Conditioning conditioning) {
    List<Tensor> residuals = new ArrayList<>();
    Tensor hiddenStates = x;
    for (ResnetBlock2D resnet : resnets) {
      hiddenStates = resnet.forward(hiddenStates, temb); // [n, h, w, cOut]
      residuals.add(hiddenStates);
    }
    if (downsampler.isPresent()) {
      hiddenStates = downsampler.get().forward(hiddenStates); // [n, ⌈h/2⌉, ⌈w/2⌉, cOut]
      residuals.add(hiddenStates);
    }
    return new Output(hiddenStates, residuals);
  }

  @Override
  public Stream<BasicTransformerBlock> transformerBlocks() {
    return Stream.empty();
  }
}
