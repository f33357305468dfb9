package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Schedule;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.scheduler.Steps;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A scheduler of one's own: Euler's method with sigmas that fall evenly in their square root.
 *
 * <p>A {@link Scheduler} is the configuration. It makes a {@link Schedule}, the tables of a
 * request, and that a {@link Schedule.Run} for each image, which may remember what it likes from
 * step to step. The timesteps and sigmas come from the checkpoint's own scheduler, which knows how
 * the model was trained.
 *
 * @param trained the checkpoint's own scheduler; its sigmas are those of a sample with noise added,
 *     as Euler's are
 */
public record OwnScheduler(Scheduler trained) implements Scheduler {
  /**
   * Draws a picture with this scheduler.
   *
   * @param args the checkpoint's folder; without it, the shipped mini checkpoint
   * @throws IOException if the checkpoint cannot be read or the picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    try (KolorsPipeline opened = KolorsPipeline.builder(model).variant("fp16").open()) {
      opened
          .withScheduler(new OwnScheduler(opened.scheduler()))
          .generate(
              ImageRequest.builder("a red fox in the snow").numInferenceSteps(20).seed(66).build())
          .image()
          .save(Path.of("own-scheduler.png"));
    }
  }

  @Override
  public String className() {
    return "OwnScheduler";
  }

  @Override
  public SchedulerConfig config() {
    return trained.config();
  }

  /** Takes the first and the last sigma of the trained schedule, and lays the others anew. */
  @Override
  public Schedule schedule(Steps steps) {
    float[] sigmas = trained.schedule(steps).sigmas();
    int n = sigmas.length - 1;
    double first = Math.sqrt(sigmas[0]);
    double last = Math.sqrt(sigmas[n - 1]);
    for (int i = 1; i < n - 1; i++) {
      double root = first + (last - first) * i / (n - 1);
      sigmas[i] = (float) (root * root);
    }
    // a scheduler that takes sigmas finds their timesteps
    return new Tables(sigmas, trained.schedule(new Steps.Sigmas(sigmas)).timesteps());
  }

  /** What all images of a request share. */
  private static final class Tables implements Schedule {
    private final float[] sigmas;
    private final float[] timesteps;

    Tables(float[] sigmas, float[] timesteps) {
      this.sigmas = sigmas;
      this.timesteps = timesteps;
    }

    @Override
    public float[] timesteps() {
      return timesteps.clone();
    }

    @Override
    public float[] sigmas() {
      return sigmas.clone();
    }

    @Override
    public float initNoiseSigma() {
      return (float) Math.sqrt(sigmas[0] * sigmas[0] + 1);
    }

    /** The U-Net runs once a step. */
    @Override
    public int order() {
      return 1;
    }

    /** A stochastic solver would keep {@code noise} and draw from it in each step. */
    @Override
    public Run start(NoiseSource noise) {
      return new EulerRun(sigmas);
    }
  }

  /** One image on its way. */
  private static final class EulerRun implements Schedule.Run {
    private final float[] sigmas;

    EulerRun(float[] sigmas) {
      this.sigmas = sigmas;
    }

    /** The U-Net was trained on samples of variance 1. */
    @Override
    public void scaleModelInput(int stepIndex, Slice sample, Slice scaled) {
      float sigma = sigmas[stepIndex];
      float scale = 1 / (float) Math.sqrt(sigma * sigma + 1);
      for (int i = 0; i < sample.length(); i++) {
        scaled.set(i, sample.get(i) * scale);
      }
    }

    /** The predicted noise is the slope of the sample over sigma. */
    @Override
    public void step(int stepIndex, Slice modelOutput, Slice sample) {
      float dt = sigmas[stepIndex + 1] - sigmas[stepIndex];
      for (int i = 0; i < sample.length(); i++) {
        sample.set(i, sample.get(i) + modelOutput.get(i) * dt);
      }
    }
  }
}
