package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.Steps;
import picocli.CommandLine.Option;

/** How far and in which steps the noise is taken away. */
final class StepOptions {
  @Option(names = "--steps", paramLabel = "N", description = "Denoising steps. Default: 50.")
  private Integer steps;

  @Option(
      names = "--timesteps",
      paramLabel = "N,N...",
      description = "The timesteps themselves, falling, in place of --steps.")
  private String timesteps;

  @Option(
      names = "--sigmas",
      paramLabel = "X,X...",
      description =
          "The noise levels, falling, in place of --steps: one before each step and one after the"
              + " last.")
  private String sigmas;

  @Option(
      names = "--denoising-end",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "Stops after this share of the way, between 0 and 1, so that another run can go on with"
              + " --denoising-start. Default: goes to the end.")
  private Double denoisingEnd;

  @Option(
      names = "--eta",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "How much noise the schedulers ddim and tcd add in each step, 0 to 1. Default: 0.")
  private Double eta;

  @Option(
      names = "--predict-every",
      paramLabel = "N",
      description =
          "With the scheduler euler: the U-Net predicts in every Nth step, the first five and the"
              + " last two; the others follow the line through the last two predictions. Default:"
              + " 1, in all.")
  private Integer predictEvery;

  /** Refuses what contradicts itself, and warns of what diffusers takes and nobody wants. */
  void check(Terminal terminal) {
    if (timesteps != null && sigmas != null) {
      throw contradiction("--timesteps", "--sigmas");
    }
    if (timesteps != null && steps != null) {
      throw contradiction("--timesteps", "--steps");
    }
    if (sigmas != null && steps != null) {
      throw contradiction("--sigmas", "--steps");
    }
    given(timesteps, _ -> warnOfRise(terminal, "--timesteps", timesteps()));
    given(sigmas, _ -> warnOfRise(terminal, "--sigmas", sigmas()));
  }

  private double[] timesteps() {
    return Numbers.wholes("--timesteps", timesteps);
  }

  private double[] sigmas() {
    return Numbers.decimals("--sigmas", sigmas);
  }

  /** Of diffusers' schedulers three refuse it (DDPM, LCM, TCD), as ours; the others do not look. */
  private static void warnOfRise(Terminal terminal, String option, double[] values) {
    for (int i = 1; i < values.length; i++) {
      if (values[i] >= values[i - 1]) {
        terminal.warn(
            "[arguments] %s has %s before %s: a picture comes of values that fall, the noisiest first."
                .formatted(option, text(values[i - 1]), text(values[i])));
        return;
      }
    }
  }

  private static String text(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private static UsageException contradiction(String one, String other) {
    return new UsageException(
        "[arguments] both %s and %s: each says which steps to take, give one of them."
            .formatted(one, other));
  }

  void apply(ImageRequest.Builder request) {
    given(steps, request::numInferenceSteps);
    given(timesteps, _ -> request.timesteps(timesteps()));
    given(sigmas, _ -> request.sigmas(sigmas()));
    given(denoisingEnd, request::denoisingEnd);
    given(eta, request::eta);
    given(predictEvery, request::predictEvery);
  }

  /** The number of steps that a request asks for, however it says so. */
  static int count(Steps steps) {
    return switch (steps) {
      case Steps.Count(int count) -> count;
      case Steps.Timesteps(float[] timesteps) -> timesteps.length;
      case Steps.Sigmas(float[] sigmas) -> sigmas.length - 1;
    };
  }
}
