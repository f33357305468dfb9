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
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Timesteps, sigmas and samples against diffusers, for all options. */
class SchedulerTrajectoryTest {
  /**
   * NumPy's and torch's vector code differ by as much between CPUs: torch's square root is off by
   * an ulp one time in five.
   */
  private static final int TABLE_ULPS = 2;

  /** Rescaling rounds to F32 1,100 times between a square root and the product that undoes it. */
  private static final int ZERO_SNR_ULPS = 16;

  /** Timesteps between sigmas that come from differences of squares. */
  private static final int INTERPOLATED_ULPS = 4;

  private static final double SAMPLE_RELATIVE_RMS = 1e-5;

  /**
   * A Brownian motion is asked at sigmas that are rounded to six digits: where a sigma of 20 is off
   * by an ulp, it is asked 2e-6 away.
   */
  private static final double BROWNIAN_RELATIVE_RMS = 1e-3;

  /** What F32 does not hold of a sample of σ 4,096, and one step later is most of the picture. */
  private static final double F32_EPSILON = 0x1p-23;

  private static final Set<String> SECOND_ORDER =
      Set.of(
          "HeunDiscreteScheduler",
          "KDPM2DiscreteScheduler",
          "KDPM2AncestralDiscreteScheduler",
          "DPMSolverSDEScheduler");

  private static final int IMAGES = 2;
  private static final int PIXELS = 3 * 5;

  private static double worstTimestepUlps;
  private static final Map<Integer, Long> worstSigmaUlps = new TreeMap<>();
  private static final Map<String, Double> worstRelativeRms = new TreeMap<>();

  static Stream<Trajectory> cases() throws IOException {
    return Trajectory.all().stream();
  }

  private static SchedulerConfig kolors() throws IOException {
    return SchedulerConfig.read(Path.of("src/test/resources/scheduler/scheduler_config.json"));
  }

  @AfterAll
  static void showTheWorst() {
    System.out.printf(
        "schedulers: worst fractional timestep %.2f ulp of the greatest, sigma {allowed=measured}"
            + " ulp %s%n",
        worstTimestepUlps, worstSigmaUlps);
    worstRelativeRms.forEach(
        (name, worst) -> System.out.printf("%s: worst sample relative RMS %.2e%n", name, worst));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void timestepsAndSigmasAreThoseOfDiffusers(Trajectory expected) throws IOException {
    Schedule schedule = expected.scheduler(kolors()).schedule(expected.steps());

    float[] timesteps = schedule.timesteps();
    if (expected.className().startsWith("KDPM2")) {
      assertFractionalTimestepsClose(expected.timesteps(), timesteps, INTERPOLATED_ULPS);
    } else if (allWhole(expected.timesteps())) {
      assertArrayEquals(expected.timesteps(), timesteps);
    } else {
      assertFractionalTimestepsClose(expected.timesteps(), timesteps, TABLE_ULPS);
    }
    if (expected.sigmas().length > 0) {
      assertSigmasClose(expected, expected.sigmas(), schedule.sigmas());
    } else {
      assertEquals(timesteps.length + 1, schedule.sigmas().length);
    }
    assertSigmasClose(
        expected, new float[] {expected.initNoiseSigma()}, new float[] {schedule.initNoiseSigma()});
    assertEquals(SECOND_ORDER.contains(expected.className()) ? 2 : 1, schedule.order());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void samplesAreThoseOfDiffusersEachImageInARunOfItsOwn(Trajectory expected) throws IOException {
    Schedule schedule = expected.scheduler(kolors()).schedule(expected.steps());
    int stepCount = schedule.timesteps().length;
    int length = expected.samples().getFirst().length / IMAGES;
    int outputLength = expected.learnedVariance() ? 2 * length : length;

    float[] sample = new TorchGenerator(Trajectory.SEED).randn(IMAGES * length);
    int begin = expected.begin();
    if (begin > 0) {
      Slice picture = Slice.of(new TorchGenerator(Trajectory.SEED - 10).randn(sample.length));
      schedule.addNoise(begin, picture, Slice.of(sample), Slice.of(sample));
    } else {
      for (int i = 0; i < sample.length; i++) {
        sample[i] *= schedule.initNoiseSigma();
      }
    }
    Schedule.Run[] runs = new Schedule.Run[IMAGES];
    for (int image = 0; image < IMAGES; image++) {
      TorchGenerator generator = new TorchGenerator(Trajectory.SEED - 1 - image);
      runs[image] = schedule.start(noiseOf(generator), expected.eta());
    }
    if (expected.channelsLast()) {
      sample = channelsLast(sample, 3);
    }

    List<float[]> kept = new ArrayList<>();
    List<Double> before = new ArrayList<>();
    double greatest = 0;
    for (int step = begin; step < stepCount; step++) {
      greatest = Math.max(greatest, rms(sample));
      float[] output =
          new TorchGenerator(Trajectory.SEED + 1 + step - begin).randn(IMAGES * outputLength);
      if (expected.channelsLast()) {
        output = channelsLast(output, 6);
      }
      float[] scaled = new float[sample.length];
      for (int image = 0; image < IMAGES; image++) {
        Slice x = new Slice(sample, image * length, length);
        Slice input = new Slice(scaled, image * length, length);
        Slice modelOutput = new Slice(output, image * outputLength, outputLength);
        runs[image].scaleModelInput(step, x, input);
        respond(input, modelOutput, expected.channelsLast());
        runs[image].step(step, modelOutput, x);
      }
      if (step < begin + 2 || step == stepCount - 1) {
        kept.add(expected.channelsLast() ? channelsFirst(sample, 3) : sample.clone());
        before.add(greatest);
      }
    }

    assertEquals(expected.samples().size(), kept.size());
    for (int i = 0; i < kept.size(); i++) {
      double relativeRms = relativeRms(expected.samples().get(i), kept.get(i));
      double cancelled = F32_EPSILON * before.get(i) / rms(kept.get(i));
      double allowed = SAMPLE_RELATIVE_RMS;
      if (expected.className().equals("DPMSolverSDEScheduler")) {
        allowed = BROWNIAN_RELATIVE_RMS;
      }
      if (cancelled <= SAMPLE_RELATIVE_RMS) {
        worstRelativeRms.merge(expected.className(), relativeRms, Math::max);
      }
      assertTrue(
          relativeRms <= Math.max(allowed, cancelled), "sample " + i + " is off by " + relativeRms);
    }
  }

  private static NoiseSource noiseOf(TorchGenerator generator) {
    return new NoiseSource() {
      @Override
      public void draw(float[] target) {
        generator.randn(target, 0, target.length);
      }

      @Override
      public OptionalLong seed() {
        return OptionalLong.of(generator.seed());
      }
    };
  }

  /** Half noise, half what the model was given, per channel where the output has more of them. */
  private static void respond(Slice input, Slice output, boolean channelsLast) {
    int channels = input.length() / PIXELS;
    int outputChannels = output.length() / PIXELS;
    for (int i = 0; i < output.length(); i++) {
      output.set(i, 0.5f * output.get(i));
    }
    for (int i = 0; i < input.length(); i++) {
      int j = !channelsLast ? i : i / channels * outputChannels + i % channels;
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
   * Within a few ulp of the table's greatest: timesteps come from differences of F32 logarithms,
   * whose errors do not shrink with the timestep.
   */
  private static void assertFractionalTimestepsClose(
      float[] expected, float[] actual, int allowed) {
    assertEquals(expected.length, actual.length, "timesteps");
    float greatest = 0;
    for (float timestep : expected) {
      greatest = Math.max(greatest, Math.abs(timestep));
    }
    for (int i = 0; i < expected.length; i++) {
      double ulps = Math.abs((double) actual[i] - expected[i]) / Math.ulp(greatest);
      worstTimestepUlps = Math.max(worstTimestepUlps, ulps);
      assertTrue(ulps <= allowed, "timestep " + i + " is " + actual[i] + " for " + expected[i]);
    }
  }

  private static void assertSigmasClose(Trajectory given, float[] expected, float[] actual) {
    int allowed = allowedUlps(given.options());
    assertEquals(expected.length, actual.length, "sigmas");
    for (int i = 0; i < expected.length; i++) {
      long ulps = Ulps.between(expected[i], actual[i]);
      worstSigmaUlps.merge(allowed, ulps, Math::max);
      assertTrue(
          ulps <= allowed,
          "sigma " + i + " is " + actual[i] + " for " + expected[i] + ", " + ulps + " ulp off");
    }
  }

  private static int allowedUlps(Map<String, Object> options) {
    return options.containsKey("rescale_betas_zero_snr") ? ZERO_SNR_ULPS : TABLE_ULPS;
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
