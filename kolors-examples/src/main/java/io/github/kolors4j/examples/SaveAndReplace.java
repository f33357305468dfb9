package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.UniPCMultistepScheduler;
import io.github.kolors4j.vae.AutoencoderKL;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** A pipeline with another VAE and another scheduler, saved as a checkpoint of its own. */
public final class SaveAndReplace {
  private SaveAndReplace() {}

  /**
   * Saves a checkpoint, opens it again, and draws a picture with it.
   *
   * @param args the folder to save in, {@code my-kolors} if it is not given; then the checkpoint's
   *     folder and that of the VAE, the shipped mini checkpoint's without them
   * @throws IOException if a checkpoint cannot be read or written, or the picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path saved = Path.of(args.length > 0 ? args[0] : "my-kolors");
    Path model = args.length > 1 ? Path.of(args[1]) : MiniCheckpoint.directory();
    Path otherVae = args.length > 2 ? Path.of(args[2]) : model.resolve("vae");
    try (KolorsPipeline opened = KolorsPipeline.open(model);
        AutoencoderKL vae = AutoencoderKL.load(otherVae, Optional.empty())) {
      opened
          .withVae(vae)
          .withScheduler(UniPCMultistepScheduler.fromConfig(opened.scheduler().config()))
          .savePretrained(saved, SaveOptions.DEFAULT.withVariant("fp16"));
    }
    try (KolorsPipeline pipeline = KolorsPipeline.open(saved)) {
      pipeline
          .generate(
              ImageRequest.builder("a red fox in the snow").numInferenceSteps(20).seed(66).build())
          .image()
          .save(Path.of("saved.png"));
    }
  }
}
