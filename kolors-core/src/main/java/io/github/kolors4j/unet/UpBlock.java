package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import java.util.Deque;
import java.util.stream.Stream;

/** A level of the ascending half. */
sealed interface UpBlock permits UpBlock2D, CrossAttnUpBlock2D {

  /**
   * The channels of a block and whether it ends in an upsampler: {@code prevOutput} come from
   * below, {@code skip} from the last residual of the level above.
   */
  record Channels(int skip, int prevOutput, int out, boolean addUpsample) {}

  static UpBlock load(String type, Weights weights, Channels channels, BlockConfig config) {
    return switch (type) {
      case "UpBlock2D" -> UpBlock2D.load(weights, channels, config);
      case "CrossAttnUpBlock2D" -> CrossAttnUpBlock2D.load(weights, channels, config);
      default -> throw new IllegalArgumentException("[unet] " + type + " is no up block.");
    };
  }

  /**
   * {@code x [n, h, w, cPrev]}, {@code temb [n, d]} to {@code [n, hOut, wOut, cOut]}. Every layer
   * pops its residual; an upsampler takes its size from the residual that is then on top, which is
   * twice the size but for levels that were rounded up on the way down.
   */
  Tensor forward(Tensor x, Tensor temb, Conditioning conditioning, Deque<Tensor> residuals);

  /** The blocks that hold its attentions, in order. */
  Stream<BasicTransformerBlock> transformerBlocks();
}
