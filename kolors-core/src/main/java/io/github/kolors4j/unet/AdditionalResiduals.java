package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;
import java.util.List;

/**
 * What a ControlNet adds to a U-Net between its halves: the skips and the output of the middle
 * block; diffusers' {@code down_block_additional_residuals} and {@code
 * mid_block_additional_residual}. Samples that are not to be controlled have zeros.
 *
 * @param downBlocks one for each skip, in the order in which the descending half makes them: after
 *     the first convolution, after each layer, after each downsampler; {@code [n, hk, wk, ck]}
 * @param midBlock for the output of the middle block {@code [n, hk, wk, ck]}
 */
public record AdditionalResiduals(List<Tensor> downBlocks, Tensor midBlock) {

  /** Keeps a copy of the list. */
  public AdditionalResiduals {
    downBlocks = List.copyOf(downBlocks);
  }
}
