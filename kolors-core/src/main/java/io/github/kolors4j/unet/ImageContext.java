package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * Tokens of images that the cross-attentions are to look at beside the text.
 *
 * @param projections the adapter's keys and values
 * @param tokens {@code [n, t, d]}, of as many samples as the text
 * @param beforeTextProjection whether they are as wide as the text encoder's tokens, and go through
 *     the U-Net's projection of the text first, as those of faces do
 * @param scale how much counts of what an attention of some name finds in them; 0 is as none
 * @param mask where in the picture they count; where empty, everywhere
 */
public record ImageContext(
    ImageProjections projections,
    Tensor tokens,
    boolean beforeTextProjection,
    ToDoubleFunction<String> scale,
    Optional<AttentionMask> mask) {}
