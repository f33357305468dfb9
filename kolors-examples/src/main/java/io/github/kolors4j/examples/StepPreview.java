package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.StepEnd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Watches a picture come out of the noise: every fifth step is decoded and saved. */
public final class StepPreview {
  private static final int EVERY = 5;

  private StepPreview() {}

  /**
   * Draws a penguin and saves {@code step-05.png}, {@code step-10.png} … on the way.
   *
   * @param args the checkpoint's folder; without it, the shipped mini checkpoint
   * @throws IOException if the checkpoint cannot be read or a picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      ImageRequest request =
          ImageRequest.builder("a penguin on a yellow background")
              .numInferenceSteps(25)
              .seed(7)
              .build();
      RunControl control = RunControl.builder().onStepEnd(StepPreview::save).build();
      pipeline.generate(request, control).image().save(Path.of("penguin.png"));
    }
  }

  private static void save(StepEnd end) {
    int step = end.progress().step();
    if (step % EVERY != 0) {
      return;
    }
    try {
      end.preview().save(Path.of("step-%02d.png".formatted(step)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
