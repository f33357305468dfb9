package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.DPMSolverMultistepScheduler;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** The published example of Kolors: DPM-Solver++ with Karras sigmas, 25 steps. */
public final class KarrasDpmSolver {
  private KarrasDpmSolver() {}

  /**
   * Draws a ladybug that, with the published weights, holds up a sign.
   *
   * @param args the checkpoint's folder; without it, the shipped mini checkpoint
   * @throws IOException if the checkpoint cannot be read or the picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    try (KolorsPipeline opened = KolorsPipeline.builder(model).variant("fp16").open()) {
      KolorsPipeline pipeline =
          opened.withScheduler(
              DPMSolverMultistepScheduler.fromConfig(
                  opened.scheduler().config(), Map.of("use_karras_sigmas", true)));
      pipeline
          .generate(
              ImageRequest.builder("一张瓢虫的照片,微距,变焦,高质量,电影,拿着一个牌子,写着\"可图\"")
                  .negativePrompt("")
                  .guidanceScale(6.5)
                  .numInferenceSteps(25)
                  .seed(66)
                  .build())
          .image()
          .save(Path.of("karras.png"));
    }
  }
}
