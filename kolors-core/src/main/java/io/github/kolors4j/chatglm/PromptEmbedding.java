package io.github.kolors4j.chatglm;

import io.github.kolors4j.tensor.Tensor;

/**
 * What the U-Net is told of the prompts.
 *
 * @param hiddenStates the tokens after the last but one layer {@code [n, s, d]}
 * @param pooled the last token after the last layer {@code [n, d]}
 */
public record PromptEmbedding(Tensor hiddenStates, Tensor pooled) {}
