package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;

/**
 * Something that the queries of an attention look at: {@code key} and {@code value [n, s,
 * heads·dHead]}, and how much of what they find there counts. An attention looks at a list of them:
 * the text, then perhaps an image prompt.
 */
record AttentionContext(Tensor key, Tensor value, float scale) {}
