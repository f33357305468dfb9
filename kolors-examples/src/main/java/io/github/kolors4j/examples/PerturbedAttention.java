package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Perturbed-attention guidance, which gives a picture more structure of its own. */
public final class PerturbedAttention {
  private PerturbedAttention() {}

  /**
   * Draws the same cat without it, {@code cat.png}, and with it, {@code cat-pag.png}.
   *
   * @param args the checkpoint's folder; without it, the shipped mini checkpoint
   * @throws IOException if the checkpoint cannot be read or a picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      ImageRequest plain = ImageRequest.builder("一只猫,粉色背景").numInferenceSteps(25).seed(1).build();
      pipeline.generate(plain).image().save(Path.of("cat.png"));
      pipeline
          .generate(plain.toBuilder().pagScale(3.0f).pagAppliedLayers(List.of("mid")).build())
          .image()
          .save(Path.of("cat-pag.png"));
    }
  }
}
