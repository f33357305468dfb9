package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.tensor.Tensor;
import java.util.List;
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

  /** Its residual blocks, each of which takes in a residual of the descending half. */
  List<ResnetBlock2D> resnets();

  /**
   * {@code x [n, h, w, cPrev]}, {@code temb [n, d]} to {@code [n, hOut, wOut, cOut]}.
   *
   * @param residuals as many as there are {@link #resnets}, in the order in which they were made:
   *     the last one is taken first
   * @param size what an upsampler enlarges to: twice the size, but for levels that were rounded up
   *     on the way down
   */
  Tensor forward(
      Tensor x, Tensor temb, Conditioning conditioning, List<Tensor> residuals, Size size);

  /** Height and width of a feature map. */
  record Size(int h, int w) {
    static Size of(Tensor x) {
      return new Size(x.dim(1), x.dim(2));
    }
  }

  /** The blocks that hold its attentions, in order. */
  Stream<BasicTransformerBlock> transformerBlocks();
}
