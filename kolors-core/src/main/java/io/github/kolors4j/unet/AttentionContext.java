package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;
import java.util.Optional;

/**
 * Something that the queries of an attention look at: {@code key} and {@code value [n, s,
 * heads·dHead]}, how much of what they find there counts, and for which of them. An attention looks
 * at a list of them: the text, then perhaps an image prompt.
 */
record AttentionContext(Tensor key, Tensor value, float scale, Optional<AttentionMask> mask) {

  AttentionContext(Tensor key, Tensor value, float scale) {
    this(key, value, scale, Optional.empty());
  }
}
