package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import java.io.IOException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Files of a pipeline in the place of the checkpoint's, and one that the checkpoint has not. */
final class SingleFileOptions {
  @Mixin private WeightFileOptions weights;

  @Option(
      names = "--preview-vae",
      paramLabel = "DIR|taesd",
      description = "Show the picture in the terminal by this tiny autoencoder.")
  private String previewVae;

  boolean haveUnet() {
    return weights.hasUnet();
  }

  KolorsPipeline.Builder apply(KolorsPipeline.Builder builder, Repositories repositories)
      throws IOException {
    weights.unet().ifPresent(builder::unet);
    weights.vae(repositories).ifPresent(builder::vae);
    weights.textEncoder().ifPresent(builder::textEncoder);
    if (previewVae != null) {
      builder.previewVae(WeightFileOptions.vae("--preview-vae", previewVae, repositories));
    }
    return builder;
  }
}
