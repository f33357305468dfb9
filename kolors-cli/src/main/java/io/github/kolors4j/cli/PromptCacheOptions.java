package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.prompts.PromptCache;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Whether encoded prompts are remembered from one run to the next. */
final class PromptCacheOptions {
  @Option(
      names = "--no-prompt-cache",
      description =
          "Encode the prompts anew, and do not remember them. Otherwise a prompt that was encoded"
              + " before needs no text encoder.")
  private boolean noPromptCache;

  /** Where they are remembered. */
  static Optional<Path> folder() {
    return CacheFolder.find().map(folder -> folder.resolve("prompts"));
  }

  /** The text encoder on demand, and before it what is remembered. */
  KolorsPipeline.Builder apply(KolorsPipeline.Builder pipeline) {
    pipeline.textEncoderOnDemand();
    if (!noPromptCache) {
      folder().map(PromptCache::at).ifPresent(pipeline::promptCache);
    }
    return pipeline;
  }
}
