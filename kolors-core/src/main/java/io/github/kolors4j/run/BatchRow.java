package io.github.kolors4j.run;

import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.tensor.FloatArray;

/**
 * All that one sample of the U-Net's batch is told beside timestep and latents.
 *
 * @param promptEmbeds the context {@code [1, s, d]}
 * @param addTextEmbeds the pooled prompt {@code [1, d]}
 * @param addTimeIds original size, crop and target size {@code [1, 6]}
 */
record BatchRow(FloatArray promptEmbeds, FloatArray addTextEmbeds, FloatArray addTimeIds) {
  static BatchRow of(PromptEmbeds prompt, float[] addTimeIds) {
    return new BatchRow(
        prompt.promptEmbeds(),
        prompt.pooledPromptEmbeds(),
        FloatArray.wrap(addTimeIds, 1, addTimeIds.length));
  }
}
