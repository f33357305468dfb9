package io.github.kolors4j;

/**
 * A prompt as the U-Net reads it, whoever encoded it.
 *
 * @param promptEmbeds the context {@code [1, s, d]}
 * @param pooled the prompt as one vector {@code [1, d]}
 */
record Embedding(FloatArray promptEmbeds, FloatArray pooled) {
  static Embedding of(EncodedPrompt prompt) {
    return new Embedding(prompt.promptEmbeds(), prompt.pooledPromptEmbeds());
  }

  /** As {@code force_zeros_for_empty_prompt} wants the negative prompt. */
  Embedding zeros() {
    return new Embedding(promptEmbeds.zeros(), pooled.zeros());
  }
}
