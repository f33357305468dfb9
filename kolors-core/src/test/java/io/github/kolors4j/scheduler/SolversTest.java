package io.github.kolors4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.random.GeneratorType;
import io.github.kolors4j.tensor.random.TorchGenerator;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What all schedulers promise, and what each refuses. */
class SolversTest {
  private static final NoiseSource NO_NOISE =
      _ -> {
        throw new AssertionError("a deterministic solver drew noise");
      };

  private static SchedulerConfig kolors() {
    try {
      return SchedulerConfig.read(Path.of("src/test/resources/scheduler/scheduler_config.json"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Scheduler make(String name, Map<String, ?> options) {
    return Schedulers.byName(name).fromConfig(kolors(), options);
  }

  private static Schedule schedule(String name, Map<String, ?> options, int n) {
    return make(name, options).schedule(Steps.of(n));
  }

  private static void assertRefused(String message, Runnable call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call::run);
    assertEquals("[scheduler] " + message, e.getMessage());
  }

  private static NoiseSource noise(long seed) {
    return NoiseSource.of(new TorchGenerator(seed), UnaryOperator.identity());
  }

  private static float[] denoise(Schedule schedule, NoiseSource noise, double eta) {
    Slice sample = Slice.of(new TorchGenerator(1).randn(32));
    Schedule.Run run = schedule.start(noise, eta);
    for (int step = 0; step < schedule.timesteps().length; step++) {
      run.scaleModelInput(step, sample, Slice.of(new float[32]));
      run.step(step, Slice.of(new TorchGenerator(2 + step).randn(32)), sample);
    }
    return sample.values();
  }

  static Stream<String> names() {
    return Schedulers.all().stream().map(type -> type.shortNames().getFirst());
  }

  // ---- what all promise

  @ParameterizedTest
  @MethodSource("names")
  void oneStepIsEnoughAndManyAreNotTooMany(String name) {
    Map<String, ?> options = Map.of();
    int most = name.equals("lcm") || name.equals("tcd") ? 50 : 150;
    for (int n : new int[] {1, 2, 3, most}) {
      Schedule schedule = schedule(name, options, n);
      for (float value : denoise(schedule, noise(4), 0)) {
        assertTrue(Float.isFinite(value), n + " steps");
      }
      assertEquals(schedule.order() == 2 ? 2 * n - 1 : timesteps(name, n), countOf(schedule));
    }
  }

  private static int timesteps(String name, int n) {
    return name.equals("pndm") && n > 1 ? n + 1 : n;
  }

  private static int countOf(Schedule schedule) {
    return schedule.timesteps().length;
  }

  @ParameterizedTest
  @MethodSource("names")
  void theSameSeedGivesTheSameSampleAndRunsAreApart(String name) {
    Schedule schedule = schedule(name, Map.of(), 6);
    float[] first = denoise(schedule, noise(9), 0);
    assertArrayEquals(first, denoise(schedule, noise(9), 0));
  }

  @ParameterizedTest
  @MethodSource("names")
  void aRunMayBeginInTheMiddleWithANoisyPicture(String name) {
    Schedule schedule = schedule(name, Map.of(), 10);
    int begin = 4 * schedule.order();
    Slice sample = Slice.of(0.5f, -0.5f, 1, 0);
    schedule.addNoise(begin, sample, Slice.of(1, -1, 0.5f, 2), sample);
    Schedule.Run run = schedule.start(noise(1));
    for (int step = begin; step < schedule.timesteps().length; step++) {
      run.scaleModelInput(step, sample, Slice.of(new float[4]));
      run.step(step, Slice.of(0.1f, 0.2f, 0.3f, 0.4f), sample);
    }
    for (float value : sample.values()) {
      assertTrue(Float.isFinite(value));
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void stepsThatDoNotExistAndLengthsThatDifferAreRefused(String name) {
    Schedule schedule = schedule(name, Map.of(), 5);
    int count = schedule.timesteps().length;
    Slice two = Slice.of(1, 2);
    String rule = " has no step " + count + ": its steps are 0 to " + (count - 1) + ".";
    String className = Schedulers.byName(name).className();
    assertRefused(className + rule, () -> schedule.start(noise(1)).step(count, two, two));
    assertRefused(className + rule, () -> schedule.addNoise(count, two, two, two));
    assertRefused(
        "noise has 3 values: the sample has 2, and they must agree.",
        () -> schedule.addNoise(0, two, Slice.of(1, 2, 3), two));
    assertRefused(
        "model output has 3 values: the sample has 2, and they must agree.",
        () -> schedule.start(noise(1)).step(0, Slice.of(1, 2, 3), two));
  }

  @Test
  void classesThatTakeNoChosenStepsSaySo() {
    Steps timesteps = new Steps.Timesteps(900, 1);
    for (String name :
        List.of("ddim", "pndm", "lms", "euler-a", "dpm2", "dpm2-a", "deis", "unipc", "edm-euler")) {
      Scheduler scheduler = make(name, Map.of());
      assertRefused(
          scheduler.className() + " takes no chosen timesteps: use a number of steps.",
          () -> scheduler.schedule(timesteps));
    }
    Steps sigmas = new Steps.Sigmas(10, 1, 0);
    for (SchedulerType type : Schedulers.all()) {
      if (!type.shortNames().contains("euler")) {
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class,
                () -> type.fromConfig(kolors(), Map.of()).schedule(sigmas));
        assertTrue(e.getMessage().contains(type.className() + " takes no chosen sigmas: use "));
      }
    }
  }

  @Test
  void noiseIsBroughtIntoTheOrderOfTheSamples() {
    float[] drawn = GeneratorType.CUDA.generator(7).randn(4);
    NoiseSource backwards =
        NoiseSource.of(
            GeneratorType.CUDA.generator(7),
            values -> new float[] {values[3], values[2], values[1], values[0]});
    float[] target = new float[4];
    backwards.draw(target);
    assertArrayEquals(new float[] {drawn[3], drawn[2], drawn[1], drawn[0]}, target);
    backwards.drawFrom(7, target);
    assertArrayEquals(new float[] {drawn[3], drawn[2], drawn[1], drawn[0]}, target);
    assertEquals(OptionalLong.of(7), backwards.seed());
  }

  // ---- eta

  @Test
  void etaIsNoiseForDdimAndTcdAndNothingForOthers() {
    for (String name : List.of("ddim", "tcd")) {
      Schedule schedule = schedule(name, Map.of(), 6);
      float[] without = denoise(schedule, NO_NOISE, 0);
      assertFalse(Arrays.equals(without, denoise(schedule, noise(3), 0.5)));
      assertRefused("eta is 1.5: use 0 to 1.", () -> schedule.start(NO_NOISE, 1.5));
      assertRefused("eta is -1.0: use 0 to 1.", () -> schedule.start(NO_NOISE, -1));
    }
    Schedule heun = schedule("heun", Map.of(), 6);
    assertArrayEquals(denoise(heun, NO_NOISE, 0), denoise(heun, NO_NOISE, 7));
  }

  // ---- from one to another

  @Test
  void hiddenKeysReachDdimSoThatPicturesAreNotClipped() {
    Scheduler ddim = make("ddim", Map.of());
    assertFalse(ddim.config().flag("clip_sample"));
    assertEquals("linear", ddim.config().text("interpolation_type"));
    Scheduler pndm = DDIMScheduler.fromConfig(make("euler-a", Map.of()).config());
    assertFalse(pndm.config().flag("clip_sample"));
  }

  @Test
  void namesOfOtherSolversBecomeTheNearest() {
    Map<String, ?> heun = Map.of("algorithm_type", "dpmsolver++", "solver_type", "heun");
    SchedulerConfig deis = make("deis", heun).config();
    assertEquals("deis", deis.text("algorithm_type"));
    assertEquals("logrho", deis.text("solver_type"));
    assertEquals("bh2", make("unipc", Map.of("solver_type", "heun")).config().text("solver_type"));
    SchedulerConfig single = make("dpmsolver-singlestep", Map.of("solver_type", "bh1")).config();
    assertEquals("midpoint", single.text("solver_type"));
  }

  // ---- single solvers

  @Test
  void aPredictorMayBeAnotherScheduler() {
    Scheduler plain =
        make("unipc", Map.of("solver_order", 1, "disable_corrector", List.of(0, 1, 2, 3, 4, 5)));
    assertArrayEquals(
        denoise(plain.schedule(Steps.of(6)), NO_NOISE, 0),
        denoise(
            UniPCMultistepScheduler.fromConfig(plain.config())
                .withSolverP(plain)
                .schedule(Steps.of(6)),
            NO_NOISE,
            0));
  }

  @Test
  void bh1EndsAtSigmaZeroWhereDiffusersGivesNoNumber() {
    for (float value : denoise(schedule("unipc", Map.of("solver_type", "bh1"), 6), NO_NOISE, 0)) {
      assertTrue(Float.isFinite(value));
    }
  }

  @Test
  void trailingTimestepsThatRoundingMakesOneTooManyEndAtTheLastTrainedOne() {
    float[] timesteps = schedule("ddim", Map.of("timestep_spacing", "trailing"), 15).timesteps();
    assertEquals(15, timesteps.length);
    assertEquals(72, timesteps[14]);
  }

  @Test
  void aLearnedVarianceFollowsTheMeans() {
    Map<String, ?> learned = Map.of("variance_type", "learned");
    Schedule schedule = schedule("ddpm", learned, 4);
    Slice sample = Slice.of(1, 2);
    schedule.start(noise(1)).step(0, Slice.of(0.1f, 0.2f, 0.01f, 0.02f), sample);
    assertTrue(Float.isFinite(sample.get(0)));
    assertRefused(
        "model output has 2 values: with variance_type \"learned\" it needs 4, all means and then"
            + " all variances. Use \"fixed_small\" with other models.",
        () -> schedule.start(noise(1)).step(0, sample, sample));
  }

  @Test
  void theSeedOfTheBrownianMotionIsTheOptionElseTheImages() {
    Schedule chosen = schedule("dpmsolver-sde", Map.of("noise_sampler_seed", 5), 4);
    float[] five = denoise(chosen, NO_NOISE, 0);
    Schedule schedule = schedule("dpmsolver-sde", Map.of(), 4);
    assertArrayEquals(five, denoise(schedule, noise(5), 0));
    assertFalse(Arrays.equals(five, denoise(schedule, noise(6), 0)));
    assertRefused(
        "noise_sampler_seed is null, and the image's noise has no seed: set one of them.",
        () -> schedule.start(NO_NOISE));
  }

  // ---- values outside an option's range

  @Test
  void valuesOutsideAnOptionsRangeAreRefusedWithTheRule() {
    assertRefused(
        "prediction_type is \"sample\": use one of epsilon, v_prediction.",
        () -> make("euler-a", Map.of("prediction_type", "sample")));
    assertRefused(
        "beta_schedule is \"exp\": use one of linear, scaled_linear, squaredcos_cap_v2.",
        () -> make("lms", Map.of("beta_schedule", "exp")));
    assertRefused(
        "beta_schedule is \"cosine\": use one of linear, scaled_linear, squaredcos_cap_v2, exp.",
        () -> make("heun", Map.of("beta_schedule", "cosine")));
    assertRefused(
        "variance_type is \"fixed_large_log\": diffusers takes the root of a negative logarithm"
            + " there, and gives no picture. Use \"fixed_large\".",
        () -> make("ddpm", Map.of("variance_type", "fixed_large_log")));
    assertRefused(
        "clip_sample_range is -1: use 0 or more.",
        () -> make("ddim", Map.of("clip_sample", true, "clip_sample_range", -1)));
    assertRefused(
        "algorithm_type is \"sde-dpmsolver\": use one of dpmsolver, dpmsolver++, sde-dpmsolver++.",
        () -> make("dpmsolver-singlestep", Map.of("algorithm_type", "sde-dpmsolver")));
    assertRefused(
        "solver_order is 4: use 1, 2 or 3.", () -> make("deis", Map.of("solver_order", 4)));
    assertRefused(
        "solver_order is 0: use 1 to 100.", () -> make("unipc", Map.of("solver_order", 0)));
    assertRefused(
        "solver_p is \"ddim\": leave it null, and call withSolverP.",
        () -> make("unipc", Map.of("solver_p", "ddim")));
    assertRefused(
        "lower_order_final is false and final_sigmas_type \"zero\", whose last step is infinite in"
            + " any but the first order: use true, or \"sigma_min\".",
        () -> make("unipc", Map.of("lower_order_final", false)));
    assertRefused(
        "predict_x0 is false and final_sigmas_type \"zero\", where the noise cannot be integrated:"
            + " use true, or \"sigma_min\".",
        () -> make("unipc", Map.of("predict_x0", false)));
    assertRefused(
        "solver_order is 3 and algorithm_type \"sde-dpmsolver++\", which has no third order here:"
            + " use 1 or 2, or \"dpmsolver++\".",
        () ->
            make(
                "edm-dpmsolver++", Map.of("solver_order", 3, "algorithm_type", "sde-dpmsolver++")));
    assertRefused("rho is 0: use a number above 0.", () -> make("edm-euler", Map.of("rho", 0)));
    assertRefused(
        "sigma_data is -1: use a number above 0.",
        () -> make("edm-euler", Map.of("sigma_data", -1)));
    assertRefused(
        "sigma_schedule is \"beta\": use one of karras, exponential.",
        () -> make("edm-euler", Map.of("sigma_schedule", "beta")));
    assertRefused(
        "noise_sampler_seed is -1: use a whole number from 0 to 2^64-1.",
        () -> make("dpmsolver-sde", Map.of("noise_sampler_seed", -1)));
    assertRefused(
        "s_noise is -1.0: use 0 or more.",
        () -> DPMSolverSDEScheduler.fromConfig(kolors()).withNoise(-1));
    assertRefused(
        "order is 0: use 1 to 100.", () -> LMSDiscreteScheduler.fromConfig(kolors()).withOrder(0));
    assertRefused(
        "original_inference_steps is 2000: use 1 to num_train_timesteps, which is 1100.",
        () -> make("lcm", Map.of("original_inference_steps", 2000)));
  }

  @Test
  void flowMatchingIsRefusedByName() {
    String rule = ": flow matching is not supported, leave it at ";
    for (String name : List.of("dpmsolver-singlestep", "deis", "unipc")) {
      assertRefused(
          "use_flow_sigmas is true" + rule + "false.",
          () -> make(name, Map.of("use_flow_sigmas", true)));
      assertRefused(
          "flow_shift is 3.0" + rule + "1.0.", () -> make(name, Map.of("flow_shift", 3.0)));
      assertRefused(
          "prediction_type is \"flow_prediction\": flow matching is not supported, use epsilon,"
              + " sample or v_prediction.",
          () -> make(name, Map.of("prediction_type", "flow_prediction")));
    }
    assertRefused(
        "shift_terminal is 0.1" + rule + "null.",
        () -> make("unipc", Map.of("shift_terminal", 0.1)));
  }

  @Test
  void onlyTheAlgorithmsThatDeisCanStandForAreRenamed() {
    assertRefused(
        "algorithm_type is \"sde-dpmsolver++\": use one of deis.",
        () -> make("deis", Map.of("algorithm_type", "sde-dpmsolver++")));
  }

  // ---- what others have left, and the class does not use

  @Test
  void whatDiffusersDoesNotLookAtMayBeAnything() {
    Map<String, Object> left = new HashMap<>();
    left.put("flow_shift", 3.0);
    left.put("time_shift_type", "linear");
    left.put("dynamic_thresholding_ratio", null);
    left.put("sample_max_value", null);
    left.put("clip_sample_range", "far");
    left.put("sigma_min", 0);
    left.put("sigma_max", "great");
    for (SchedulerType type : Schedulers.all()) {
      if (!type.className().startsWith("EDM")) { // which use both ends
        Scheduler scheduler = type.fromConfig(left(left), Map.of());
        assertArrayEquals(
            type.fromConfig(kolors()).schedule(Steps.of(4)).timesteps(),
            scheduler.schedule(Steps.of(4)).timesteps());
        assertEquals(3.0, scheduler.config().number("flow_shift"));
      }
    }
    Map<String, Object> cosine = new HashMap<>(Map.of("beta_schedule", "squaredcos_cap_v2"));
    cosine.put("beta_start", null);
    cosine.put("beta_end", 7);
    cosine.put("timestep_spacing", "trailing");
    cosine.put("steps_offset", null);
    make("euler", Map.of()); // as it is
    EulerDiscreteScheduler.fromConfig(left(cosine)).schedule(Steps.of(4));
    Map<String, Object> trained = new HashMap<>(Map.of("trained_betas", List.of(0.1, 0.2)));
    trained.put("beta_schedule", "none");
    EulerDiscreteScheduler.fromConfig(left(trained)).schedule(Steps.of(2));
    LMSDiscreteScheduler.fromConfig(left(Map.of("use_karras_sigmas", true, "sigma_min", 0)));
  }

  private static SchedulerConfig left(Map<String, ?> more) {
    Map<String, Object> all = new HashMap<>();
    kolors().keys().forEach(key -> all.put(key, kolors().get(key)));
    all.putAll(more);
    return SchedulerConfig.of(all);
  }

  @Test
  void whatIsAskedForByNameMustBeRightAlsoWhereItIsNotUsed() {
    assertRefused(
        "sigma_min is 0: use a finite number above 0.",
        () -> make("euler", Map.of("sigma_min", 0)));
    assertRefused(
        "beta_end is \"x\": use a number.",
        () -> make("euler", Map.of("beta_schedule", "squaredcos_cap_v2", "beta_end", "x")));
    assertRefused("EulerDiscreteScheduler has no option 3: use one of", () -> fromKey(3));
  }

  private static void fromKey(Object key) {
    try {
      EulerDiscreteScheduler.fromConfig(kolors(), Map.of(key, 3));
    } catch (IllegalArgumentException e) {
      String begin = e.getMessage().substring(0, e.getMessage().indexOf(" num_train_timesteps"));
      throw new IllegalArgumentException(begin, e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"})
  void theVarianceOfDdpmIsNothingToDpmSolver(String varianceType) {
    Map<String, ?> variance = Map.of("variance_type", varianceType);
    for (String name : List.of("dpmsolver++", "dpmsolver-singlestep")) {
      float[] expected = denoise(schedule(name, Map.of(), 5), NO_NOISE, 0);
      assertArrayEquals(expected, denoise(schedule(name, variance, 5), NO_NOISE, 0));
      SchedulerType type = Schedulers.byName(name);
      Scheduler scheduler = type.fromConfig(left(variance));
      assertArrayEquals(expected, denoise(scheduler.schedule(Steps.of(5)), NO_NOISE, 0));
      assertEquals(varianceType, scheduler.config().text("variance_type"));
    }
    EulerDiscreteScheduler.fromConfig(left(variance));
  }

  @Test
  void withTheNullOfDpmSolverDdpmAddsTheSmallVariance() {
    Map<String, Object> none = new HashMap<>();
    none.put("variance_type", null);
    Scheduler ddpm = DDPMScheduler.fromConfig(left(none));
    assertArrayEquals(
        denoise(schedule("ddpm", Map.of("variance_type", "fixed_small"), 5), noise(1), 0),
        denoise(ddpm.schedule(Steps.of(5)), noise(1), 0));
  }

  @Test
  void aStepThatIsNoWholeNumberDisablesNoCorrector() {
    Schedule all = schedule("unipc", Map.of(), 5);
    Schedule half = schedule("unipc", Map.of("disable_corrector", List.of(0.5, 7)), 5);
    Schedule first = schedule("unipc", Map.of("disable_corrector", List.of(0)), 5);
    float[] expected = denoise(all, NO_NOISE, 0);
    assertArrayEquals(expected, denoise(half, NO_NOISE, 0));
    assertFalse(Arrays.equals(expected, denoise(first, NO_NOISE, 0)));
  }

  @Test
  void theSeedOfTheBrownianMotionHasAllSixtyFourBits() {
    BigInteger greatest = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);
    float[] expected = denoise(schedule("dpmsolver-sde", Map.of(), 4), noise(-1), 0);
    Map<String, ?> seed = Map.of("noise_sampler_seed", greatest);
    assertArrayEquals(expected, denoise(schedule("dpmsolver-sde", seed, 4), NO_NOISE, 0));
    assertEquals(greatest, SchedulerConfig.parseValue(greatest.toString()));
    assertRefused(
        "noise_sampler_seed is 18446744073709551616: use a whole number from 0 to 2^64-1.",
        () -> make("dpmsolver-sde", Map.of("noise_sampler_seed", greatest.add(BigInteger.ONE))));
  }

  // ---- the rows of options

  @ParameterizedTest
  @MethodSource("names")
  void everyOptionSaysWhatItTakesAndMeansAndTakesItsDefault(String name) {
    SchedulerType type = Schedulers.byName(name);
    assertEquals(
        List.copyOf(type.defaults().keys()),
        type.options().stream().map(SchedulerOption::key).toList());
    for (SchedulerOption option : type.options()) {
      assertFalse(option.values().isBlank() || option.meaning().isBlank(), option.toString());
      assertEquals(type.defaults().get(option.key()), option.defaultValue());
      Map<String, Object> asked = new HashMap<>();
      asked.put(option.key(), option.defaultValue());
      assertEquals(
          type.fromConfig(type.defaults()).config().get(option.key()),
          type.fromConfig(type.defaults(), asked).config().get(option.key()));
    }
  }

  // ---- steps that cannot be taken

  @Test
  void stepsThatWereNotTrainedAreRefused() {
    for (String name : List.of("ddim", "ddpm", "pndm")) {
      assertRefused(
          "num_inference_steps is 1101: the model was trained on 1100 timesteps, use no more.",
          () -> schedule(name, Map.of(), 1101));
    }
    assertRefused(
        "timestep 1100 was not trained: timesteps are 0 to 1099. Take fewer steps, or another"
            + " timestep_spacing or steps_offset.",
        () -> schedule("ddim", Map.of(), 1100));
    assertRefused(
        "num_inference_steps is 3 and skip_prk_steps false, which needs 4 or more: use true for"
            + " fewer steps.",
        () -> schedule("pndm", Map.of("skip_prk_steps", false), 3));
    assertRefused(
        "num_inference_steps is 51: original_inference_steps is 50, use no more.",
        () -> schedule("lcm", Map.of(), 51));
    assertRefused(
        "timesteps hold 5 before 9: each must be less than the one before.",
        () -> make("ddpm", Map.of()).schedule(new Steps.Timesteps(5, 9)));
    assertRefused(
        "timesteps start at 1100: the model was trained on 0 to 1099.",
        () -> make("tcd", Map.of()).schedule(new Steps.Timesteps(1100, 9)));
    assertRefused(
        "timesteps cannot be chosen while use_karras_sigmas is true: use one or the other.",
        () ->
            make("heun", Map.of("use_karras_sigmas", true)).schedule(new Steps.Timesteps(900, 1)));
  }
}
