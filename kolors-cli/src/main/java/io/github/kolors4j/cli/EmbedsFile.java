package io.github.kolors4j.cli;

import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;

/** The embeddings that {@code encode} writes. */
final class EmbedsFile {
  static final String PROMPT_EMBEDS = "prompt_embeds";
  static final String POOLED_PROMPT_EMBEDS = "pooled_prompt_embeds";
  static final String NEGATIVE_PROMPT_EMBEDS = "negative_prompt_embeds";
  static final String NEGATIVE_POOLED_PROMPT_EMBEDS = "negative_pooled_prompt_embeds";

  private EmbedsFile() {}

  /** Reads the embeddings {@code [1, s, d]} and {@code [1, d]}, also negative ones if there are. */
  static PromptEmbeds read(Path path) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      F32Tensors tensors = new F32Tensors("embeds", path, file);
      return new PromptEmbeds(
          tensors.get(PROMPT_EMBEDS),
          tensors.get(POOLED_PROMPT_EMBEDS),
          tensors.find(NEGATIVE_PROMPT_EMBEDS),
          tensors.find(NEGATIVE_POOLED_PROMPT_EMBEDS));
    } catch (IllegalArgumentException e) {
      String rule = String.valueOf(e.getMessage()).replaceFirst("^\\[\\w+] ", "");
      throw new UsageException("[embeds] %s: %s".formatted(path, rule));
    }
  }
}
