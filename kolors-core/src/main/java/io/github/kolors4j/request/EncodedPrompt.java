package io.github.kolors4j.request;

import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tokenizer.TokenizedPrompt;

/**
 * A prompt as the U-Net reads it.
 *
 * @param tokens ids, attention mask and position ids, each {@code s} long, and the part of the
 *     prompt that was lost
 * @param promptEmbeds the context of the cross-attention {@code [1, s, d]}: the text encoder's
 *     second-to-last hidden states
 * @param pooledPromptEmbeds the prompt as one vector {@code [1, d]}: the last state of the last
 *     token
 */
public record EncodedPrompt(
    TokenizedPrompt tokens, FloatArray promptEmbeds, FloatArray pooledPromptEmbeds) {}
