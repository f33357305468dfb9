package io.github.kolors4j;

/**
 * All that one sample of the U-Net's batch is told beside timestep and latents.
 *
 * @param promptEmbeds the context {@code [1, s, d]}
 * @param addTextEmbeds the pooled prompt {@code [1, d]}
 * @param addTimeIds original size, crop and target size {@code [1, 6]}
 */
record ConditioningRow(FloatArray promptEmbeds, FloatArray addTextEmbeds, FloatArray addTimeIds) {
  static ConditioningRow of(Embedding prompt, float[] addTimeIds) {
    return new ConditioningRow(
        prompt.promptEmbeds(), prompt.pooled(), FloatArray.wrap(addTimeIds, 1, addTimeIds.length));
  }
}
