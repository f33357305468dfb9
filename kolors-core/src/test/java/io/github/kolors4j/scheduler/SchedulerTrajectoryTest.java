package io.github.kolors4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.random.TorchGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Timesteps, sigmas and samples against diffusers, for all options. */
class SchedulerTrajectoryTest {
  /**
   * NumPy's and torch's vector code differ by as much between CPUs: torch's square root is no IEEE
   * one, and NumPy's F32 logarithm is up to 2 ulp off.
   */
  private static final int TABLE_ULPS = 2;

  /** An ulp of log σ is up to 4 of σ, where the former is kept in F32; so is a cancellation. */
  private static final int LOG_TABLE_ULPS = 4;

  private static final double SAMPLE_RELATIVE_RMS = 1e-5;

  /** What F32 cannot hold of a sample of σ 4,096, when one step takes the noise away. */
  private static final double F32_EPSILON = 0x1p-23;

  private static final int IMAGES = 2;
  private static final int PIXELS = 3 * 5;

  private static double worstTimestepUlps;
  private static long worstSigmaUlps;
  private static long worstLogSigmaUlps;
  private static double worstRelativeRms;

  static Stream<Trajectory> cases() throws IOException {
    return Trajectory.all().stream();
  }

  private static SchedulerConfig kolors() throws IOException {
    return SchedulerConfig.read(Path.of("src/test/resources/scheduler/scheduler_config.json"));
  }

  @AfterAll
  static void showTheWorst() {
    System.out.printf(
        "schedulers: worst fractional timestep %.2f ulp of the greatest, sigma %d ulp (from F32"
            + " logarithms %d), sample relative RMS %.2e%n",
        worstTimestepUlps, worstSigmaUlps, worstLogSigmaUlps, worstRelativeRms);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void timestepsAndSigmasAreThoseOfDiffusers(Trajectory expected) throws IOException {
    Schedule schedule = expected.scheduler(kolors()).schedule(expected.steps());

    float[] timesteps = schedule.timesteps();
    if (allWhole(expected.timesteps())) {
      assertArrayEquals(expected.timesteps(), timesteps);
    } else {
      assertFractionalTimestepsClose(expected.timesteps(), timesteps);
    }
    assertSigmasClose(expected, expected.sigmas(), schedule.sigmas());
    assertSigmasClose(
        expected,
        new float[] {expected.initNoiseSigma()},
        new float[] {schedule.initNoiseSigma()});
    assertEquals(1, schedule.order());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void samplesAreThoseOfDiffusersEachImageInARunOfItsOwn(Trajectory expected) throws IOException {
    Schedule schedule = expected.scheduler(kolors()).schedule(expected.steps());
    int stepCount = schedule.timesteps().length;
    int length = expected.samples().getFirst().length / IMAGES;
    int outputLength = expected.learnedVariance() ? 2 * length : length;

    float[] sample = new TorchGenerator(Trajectory.SEED).randn(IMAGES * length);
    for (int i = 0; i < sample.length; i++) {
      sample[i] *= schedule.initNoiseSigma();
    }
    Schedule.Run[] runs = new Schedule.Run[IMAGES];
    for (int image = 0; image < IMAGES; image++) {
      TorchGenerator generator = new TorchGenerator(Trajectory.SEED - 1 - image);
      runs[image] = schedule.start(target -> generator.randn(target, 0, target.length));
    }
    if (expected.learnedVariance()) {
      sample = channelsLast(sample, 3);
    }

    List<float[]> kept = new ArrayList<>();
    List<Double> before = new ArrayList<>();
    for (int step = 0; step < stepCount; step++) {
      double rms = rms(sample);
      float[] output = new TorchGenerator(Trajectory.SEED + 1 + step).randn(IMAGES * outputLength);
      if (expected.learnedVariance()) {
        output = channelsLast(output, 6);
      }
      float[] scaled = new float[sample.length];
      for (int image = 0; image < IMAGES; image++) {
        Slice x = new Slice(sample, image * length, length);
        Slice input = new Slice(scaled, image * length, length);
        Slice modelOutput = new Slice(output, image * outputLength, outputLength);
        runs[image].scaleModelInput(step, x, input);
        respond(input, modelOutput);
        runs[image].step(step, modelOutput, x);
      }
      if (step < 2 || step == stepCount - 1) {
        kept.add(expected.learnedVariance() ? channelsFirst(sample, 3) : sample.clone());
        before.add(rms);
      }
    }

    assertEquals(expected.samples().size(), kept.size());
    for (int i = 0; i < kept.size(); i++) {
      double relativeRms = relativeRms(expected.samples().get(i), kept.get(i));
      double cancelled = F32_EPSILON * before.get(i) / rms(kept.get(i));
      if (cancelled <= SAMPLE_RELATIVE_RMS) {
        worstRelativeRms = Math.max(worstRelativeRms, relativeRms);
      }
      assertTrue(
          relativeRms <= Math.max(SAMPLE_RELATIVE_RMS, cancelled),
          "sample " + i + " is off by " + relativeRms);
    }
  }

  /** Half noise, half what the model was given, per channel where the output has more of them. */
  private static void respond(Slice input, Slice output) {
    int channels = input.length() / PIXELS;
    int outputChannels = output.length() / PIXELS;
    for (int i = 0; i < output.length(); i++) {
      output.set(i, 0.5f * output.get(i));
    }
    for (int i = 0; i < input.length(); i++) {
      int j = channels == outputChannels ? i : i / channels * outputChannels + i % channels;
      output.set(j, output.get(j) + 0.5f * input.get(i));
    }
  }

  private static float[] channelsLast(float[] values, int channels) {
    float[] moved = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      int image = i / (channels * PIXELS);
      int c = i / PIXELS % channels;
      moved[(image * PIXELS + i % PIXELS) * channels + c] = values[i];
    }
    return moved;
  }

  private static float[] channelsFirst(float[] values, int channels) {
    float[] moved = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      int image = i / (channels * PIXELS);
      int pixel = i / channels % PIXELS;
      moved[(image * channels + i % channels) * PIXELS + pixel] = values[i];
    }
    return moved;
  }

  private static boolean allWhole(float[] values) {
    for (float value : values) {
      if (value != Math.rint(value)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Within 2 ulp of the table's greatest: timesteps come from differences of F32 logarithms, whose
   * errors do not shrink with the timestep.
   */
  private static void assertFractionalTimestepsClose(float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length, "timesteps");
    float greatest = 0;
    for (float timestep : expected) {
      greatest = Math.max(greatest, Math.abs(timestep));
    }
    for (int i = 0; i < expected.length; i++) {
      double ulps = Math.abs((double) actual[i] - expected[i]) / Math.ulp(greatest);
      worstTimestepUlps = Math.max(worstTimestepUlps, ulps);
      assertTrue(
          ulps <= TABLE_ULPS, "timestep " + i + " is " + actual[i] + " for " + expected[i]);
    }
  }

  private static void assertSigmasClose(Trajectory given, float[] expected, float[] actual) {
    Map<String, Object> options = given.options();
    boolean logTable =
        "log_linear".equals(options.get("interpolation_type"))
            || options.containsKey("use_lu_lambdas")
            || options.containsKey("rescale_betas_zero_snr");
    assertEquals(expected.length, actual.length, "sigmas");
    for (int i = 0; i < expected.length; i++) {
      long ulps = Ulps.between(expected[i], actual[i]);
      if (logTable) {
        worstLogSigmaUlps = Math.max(worstLogSigmaUlps, ulps);
      } else {
        worstSigmaUlps = Math.max(worstSigmaUlps, ulps);
      }
      assertTrue(
          ulps <= (logTable ? LOG_TABLE_ULPS : TABLE_ULPS),
          "sigma " + i + " is " + actual[i] + " for " + expected[i] + ", " + ulps + " ulp off");
    }
  }

  private static double rms(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum / values.length);
  }

  private static double relativeRms(float[] expected, float[] actual) {
    double error = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = (double) actual[i] - expected[i];
      error += difference * difference;
      norm += (double) expected[i] * expected[i];
    }
    return Math.sqrt(error / norm);
  }
}
