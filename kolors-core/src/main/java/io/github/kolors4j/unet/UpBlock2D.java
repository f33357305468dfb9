package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.nn.Upsample2D;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Elementwise;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Residual blocks that each take in a skip, then twice the size; diffusers {@code UpBlock2D}. */
record UpBlock2D(List<ResnetBlock2D> resnets, Optional<Upsample2D> upsampler) implements UpBlock {

  static UpBlock2D load(Weights weights, Channels channels, BlockConfig config) {
    return new UpBlock2D(
        loadResnets(weights.at("resnets"), channels, config), loadUpsampler(weights, channels));
  }

  static List<ResnetBlock2D> loadResnets(Weights weights, Channels channels, BlockConfig config) {
    List<ResnetBlock2D> resnets = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      int in = i == 0 ? channels.prevOutput() : channels.out();
      int skip = i == config.layers() - 1 ? channels.skip() : channels.out();
      resnets.add(ResnetBlock2D.load(weights.at(i), in + skip, channels.out(), config.resnet()));
    }
    return List.copyOf(resnets);
  }

  static Optional<Upsample2D> loadUpsampler(Weights weights, Channels channels) {
    return channels.addUpsample()
        ? Optional.of(Upsample2D.load(weights.at("upsamplers.0"), channels.out()))
        : Optional.empty();
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
      }
      if (upsampler.isPresent()) {
        hiddenStates = upsampler.get().forward(hiddenStates, size.h(), size.w());
      } // [n, hOut, wOut, cOut]
      return scope.keep(hiddenStates);
    }
  }

  @Override
  public Stream<BasicTransformerBlock> transformerBlocks() {
    return Stream.empty();
  }
}
