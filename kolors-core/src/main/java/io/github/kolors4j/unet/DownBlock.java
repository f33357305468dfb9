package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/** A level of the descending half. */
sealed interface DownBlock permits DownBlock2D, CrossAttnDownBlock2D {

  /** The channels of a block, and whether it ends in a downsampler. */
  record Channels(int in, int out, boolean addDownsample) {}

  static DownBlock load(String type, Weights weights, Channels channels, BlockConfig config) {
    return switch (type) {
      case "DownBlock2D" -> DownBlock2D.load(weights, channels, config);
      case "CrossAttnDownBlock2D" -> CrossAttnDownBlock2D.load(weights, channels, config);
      default -> throw new IllegalArgumentException("[unet] " + type + " is no down block.");
    };
  }

  /**
   * What a block gives: {@code hiddenStates} for the next one, and for the ascending half the
   * output of every layer, of which the last is {@code hiddenStates} itself.
   */
  record Output(Tensor hiddenStates, List<Tensor> residuals) {}

  /**
   * {@code x [n, h, w, cIn]}, {@code temb [n, d]} to {@code [n, ⌈h/2⌉, ⌈w/2⌉, cOut]}, without a
   * downsampler {@code [n, h, w, cOut]}, and {@code [n, h, w, cOut]} of each layer before.
   */
  Output forward(Tensor x, Tensor temb, Conditioning conditioning);

  /** The blocks that hold its attentions, in order. */
  Stream<BasicTransformerBlock> transformerBlocks();
}
