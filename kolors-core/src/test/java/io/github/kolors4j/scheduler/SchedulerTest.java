package io.github.kolors4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulerTest {
  private static final NoiseSource NO_NOISE =
      _ -> {
        throw new AssertionError("a deterministic solver drew noise");
      };

  private static SchedulerConfig kolors() throws IOException {
    return SchedulerConfig.read(Path.of("src/test/resources/scheduler/scheduler_config.json"));
  }

  private static Scheduler euler(Map<String, ?> options) throws IOException {
    return EulerDiscreteScheduler.fromConfig(kolors(), options);
  }

  private static Scheduler dpm(Map<String, ?> options) throws IOException {
    return DPMSolverMultistepScheduler.fromConfig(kolors(), options);
  }

  private static void assertRefused(String message, ThrowingCall call) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call::run);
    assertEquals(message, e.getMessage());
  }

  @FunctionalInterface
  private interface ThrowingCall {
    void run() throws IOException;
  }

  // ---- what diffusers and the papers give

  @Test
  void eulerWithTheKolorsConfigurationStartsWhereDiffusersDoes() throws IOException {
    Schedule fifty = euler(Map.of()).schedule(Steps.of(50));
    assertEquals(1079, fifty.timesteps()[0]);
    assertEquals(1, fifty.timesteps()[49]);
    assertEquals(25.2814, fifty.sigmas()[0], 1e-4);
    assertEquals(25.3011, fifty.initNoiseSigma(), 1e-4);

    Schedule twentyFive = euler(Map.of()).schedule(Steps.of(25));
    assertEquals(1057, twentyFive.timesteps()[0]);
    assertEquals(21.7838, twentyFive.sigmas()[0], 1e-4);
  }

  @Test
  void dpmSolverLeadingDividesByOneStepMore() throws IOException {
    Schedule schedule = dpm(Map.of()).schedule(Steps.of(25));
    assertEquals(1051, schedule.timesteps()[0]);
    assertEquals(1, schedule.initNoiseSigma());
  }

  @Test
  void dpmSolverKarrasSpansTheWholeTable() throws IOException {
    Schedule schedule = dpm(Map.of("use_karras_sigmas", true)).schedule(Steps.of(25));
    assertArrayEquals(
        new float[] {
          1099, 1072, 1044, 1013, 980, 945, 906, 864, 817, 766, 708, 644, 572, 493, 408, 319, 234,
          159, 98, 55, 28, 13, 5, 2, 0
        },
        schedule.timesteps());
    assertEquals(29.0612, schedule.sigmas()[0], 1e-4);
    assertEquals(0.029168, schedule.sigmas()[24], 1e-6);
  }

  /** Euler's method has the same sigmas, and timesteps that need not be whole. */
  @Test
  void dpmSolverRoundsKarrasTimestepsAndCutsOffExponentialOnes() throws IOException {
    for (String law : List.of("use_karras_sigmas", "use_exponential_sigmas")) {
      float[] fractional =
          euler(Map.of(law, true, "timestep_spacing", "linspace"))
              .schedule(Steps.of(25))
              .timesteps();
      float[] whole = dpm(Map.of(law, true)).schedule(Steps.of(25)).timesteps();
      for (int i = 1; i < 25; i++) {
        double t = fractional[i];
        assertEquals(law.equals("use_karras_sigmas") ? Math.rint(t) : Math.floor(t), whole[i]);
      }
    }
  }

  /** Whatever logarithms round: the sigma of the last trained timestep has that timestep. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "use_karras_sigmas",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "use_lu_lambdas"
      })
  void aLawOverTheWholeTableBeginsAtTheLastTrainedTimestep(String law) throws IOException {
    for (String name : List.of("dpmsolver++", "dpmsolver-singlestep", "deis", "unipc")) {
      SchedulerType type = Schedulers.byName(name);
      for (String betas : List.of("scaled_linear", "linear", "squaredcos_cap_v2")) {
        for (int trained : new int[] {60, 1000, 1100}) {
          if (type.defaults().keys().contains(law)) {
            Map<String, ?> options =
                Map.of(law, true, "beta_schedule", betas, "num_train_timesteps", trained);
            for (int n : new int[] {1, 2, 25}) {
              Schedule schedule = type.fromConfig(kolors(), options).schedule(Steps.of(n));
              assertEquals(trained - 1, schedule.timesteps()[0], name + " " + options);
            }
          }
        }
      }
    }
  }

  @Test
  void aLawFromAnotherGreatestSigmaBeginsAtThatOnes() throws IOException {
    Map<String, ?> options = Map.of("use_exponential_sigmas", true, "sigma_max", 2.0);
    Schedule schedule = UniPCMultistepScheduler.fromConfig(kolors(), options).schedule(Steps.of(5));
    assertEquals(2, schedule.sigmas()[0], 1e-6);
    assertTrue(schedule.timesteps()[0] < 600, String.valueOf(schedule.timesteps()[0]));
  }

  /**
   * {@code torch.linspace} of one value is its start: the ramp's is 0, the logarithm's the least.
   */
  @Test
  void oneStepOfEdmIsWhereDiffusersTakesIt() throws IOException {
    for (String name : List.of("edm-euler", "edm-dpmsolver++")) {
      SchedulerType type = Schedulers.byName(name);
      Schedule karras = type.fromConfig(kolors(), Map.of()).schedule(Steps.of(1));
      assertArrayEquals(new float[] {80, 0}, karras.sigmas(), 1e-4f);
      assertArrayEquals(new float[] {1.0955f}, karras.timesteps(), 1e-4f);
      Schedule exponential =
          type.fromConfig(kolors(), Map.of("sigma_schedule", "exponential")).schedule(Steps.of(1));
      assertArrayEquals(new float[] {0.002f, 0}, exponential.sigmas(), 1e-6f);
      assertArrayEquals(new float[] {-1.5537f}, exponential.timesteps(), 1e-4f);
    }
  }

  @Test
  void oneEulerStepWithTheTrueNoiseGivesThePicture() throws IOException {
    Schedule schedule = euler(Map.of()).schedule(Steps.of(1));
    float[] picture = {0.5f, -0.25f, 1};
    float[] noise = {1, -2, 0.5f};
    Slice sample = Slice.of(new float[3]);
    for (int i = 0; i < 3; i++) {
      sample.set(i, picture[i] + schedule.sigmas()[0] * noise[i]);
    }
    schedule.start(NO_NOISE).step(0, Slice.of(noise), sample);
    assertArrayEquals(picture, sample.values(), 1e-6f);
  }

  @Test
  void runsOfOneScheduleDoNotDisturbEachOther() throws IOException {
    Schedule schedule = dpm(Map.of("solver_order", 3)).schedule(Steps.of(8));
    float[] alone = trajectory(schedule.start(NO_NOISE), null);
    float[] accompanied = trajectory(schedule.start(NO_NOISE), schedule.start(NO_NOISE));
    assertArrayEquals(alone, accompanied);
  }

  private static float[] trajectory(Schedule.Run run, Schedule.Run other) {
    Slice sample = Slice.of(1, 2, 3, 4);
    Slice otherSample = Slice.of(-9, 9);
    for (int step = 0; step < 8; step++) {
      run.step(step, Slice.of(step, 1, -step, 0.5f), sample);
      if (other != null) {
        other.step(step, Slice.of(step, 2), otherSample);
      }
    }
    return sample.values();
  }

  @Test
  void aRunMayStartInTheMiddleAndTouchesOnlyItsSlice() throws IOException {
    float[] values = {77, 1, 2, 77};
    Slice sample = new Slice(values, 1, 2);
    Schedule.Run run = dpm(Map.of()).schedule(Steps.of(20)).start(NO_NOISE);
    for (int step = 12; step < 20; step++) {
      run.scaleModelInput(step, sample, sample);
      run.step(step, Slice.of(0.1f, 0.2f), sample);
    }
    assertEquals(77, values[0]);
    assertEquals(77, values[3]);
    assertTrue(Float.isFinite(values[1]) && values[1] != 1);
  }

  @Test
  void tablesAreCopies() throws IOException {
    Schedule schedule = euler(Map.of()).schedule(Steps.of(3));
    schedule.timesteps()[0] = -1;
    assertNotSame(schedule.sigmas(), schedule.sigmas());
    assertEquals(733, schedule.timesteps()[0]);
  }

  // ---- what is refused

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
  void fewerStepsThanOneAreRefused(int n) {
    assertRefused(
        "[scheduler] num_inference_steps is " + n + ": use 1 or more.", () -> Steps.of(n));
  }

  @ParameterizedTest
  @ValueSource(ints = {100_001, 100_000_000, Integer.MAX_VALUE})
  void moreStepsThanTheLimitAreRefused(int n) {
    assertRefused(
        "[scheduler] num_inference_steps is " + n + ": use no more than 100000.",
        () -> Steps.of(n));
  }

  @Test
  void asManyStepsAsTheLimitAreTakenWhereTheClassTakesThem() throws IOException {
    assertEquals(100_000, euler(Map.of()).schedule(Steps.of(100_000)).timesteps().length);
  }

  @ParameterizedTest
  @ValueSource(ints = {100_001, 100_000_000, Integer.MAX_VALUE})
  void moreTrainedTimestepsThanTheLimitAreRefused(int n) {
    for (SchedulerType type : Schedulers.all()) {
      if (!type.className().startsWith("EDM")) { // which have no table of them
        assertRefused(
            "[scheduler] num_train_timesteps is " + n + ": use 2 to 100000.",
            () -> type.fromConfig(SchedulerConfig.of(Map.of("num_train_timesteps", n))));
      }
    }
  }

  @Test
  void badTimestepsAndSigmasAreRefused() {
    assertRefused(
        "[scheduler] timesteps have 0 values: give 1 or more.", () -> new Steps.Timesteps());
    assertRefused(
        "[scheduler] timesteps hold NaN: each must be a finite number.",
        () -> new Steps.Timesteps(3, Float.NaN));
    assertRefused(
        "[scheduler] timesteps have 100001 values: give no more than 100000.",
        () -> new Steps.Timesteps(new float[100_001]));
    assertRefused("[scheduler] sigmas have 1 values: give 2 or more.", () -> new Steps.Sigmas(3));
    assertRefused(
        "[scheduler] sigmas hold -1.0: a noise level is 0 or more.", () -> new Steps.Sigmas(3, -1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"})
  void chosenTimestepsAreRefusedWhereALawChoosesThem(String key) throws IOException {
    String message =
        "[scheduler] timesteps cannot be chosen while " + key + " is true: use one or the other.";
    Steps steps = new Steps.Timesteps(900, 1);
    assertRefused(message, () -> euler(Map.of(key, true)).schedule(steps));
    assertRefused(message, () -> dpm(Map.of(key, true)).schedule(steps));
  }

  @Test
  void chosenStepsThatAClassCannotTakeAreRefused() {
    assertRefused(
        "[scheduler] timesteps cannot be chosen while use_lu_lambdas is true: use one or the other.",
        () -> dpm(Map.of("use_lu_lambdas", true)).schedule(new Steps.Timesteps(900, 1)));
    assertRefused(
        "[scheduler] DPMSolverMultistepScheduler takes no chosen sigmas: use timesteps or a number"
            + " of steps.",
        () -> dpm(Map.of()).schedule(new Steps.Sigmas(10, 0)));
    assertRefused(
        "[scheduler] timesteps cannot be chosen while timestep_type is \"continuous\" and"
            + " prediction_type is \"v_prediction\": use sigmas or a number of steps.",
        () ->
            euler(Map.of("timestep_type", "continuous", "prediction_type", "v_prediction"))
                .schedule(new Steps.Timesteps(900, 1)));
  }

  @Test
  void twoLawsForSigmasAreRefused() {
    String message =
        "[scheduler] use_karras_sigmas and use_beta_sigmas are both true: use one of them.";
    Map<String, Object> both = Map.of("use_karras_sigmas", true, "use_beta_sigmas", true);
    assertRefused(message, () -> euler(both));
    assertRefused(message, () -> dpm(both));
  }

  @Test
  void flowMatchingIsRefusedByName() throws IOException {
    String rule = ": flow matching is not supported, leave it at ";
    assertRefused(
        "[scheduler] use_flow_sigmas is true" + rule + "false.",
        () -> dpm(Map.of("use_flow_sigmas", true)));
    assertRefused(
        "[scheduler] flow_shift is 3.0" + rule + "1.0.", () -> dpm(Map.of("flow_shift", 3.0)));
    assertRefused(
        "[scheduler] use_dynamic_shifting is true" + rule + "false.",
        () -> dpm(Map.of("use_dynamic_shifting", true)));
    assertRefused(
        "[scheduler] time_shift_type is \"linear\"" + rule + "\"exponential\".",
        () -> dpm(Map.of("time_shift_type", "linear")));
    assertRefused(
        "[scheduler] prediction_type is \"flow_prediction\": flow matching is not supported, use"
            + " epsilon, sample or v_prediction.",
        () -> dpm(Map.of("prediction_type", "flow_prediction")));
    dpm(Map.of("use_flow_sigmas", false, "flow_shift", 1, "time_shift_type", "exponential"));
  }

  @Test
  void valuesOutsideAnOptionsRangeAreRefusedWithTheRule() {
    assertRefused(
        "[scheduler] solver_order is 4: use 1, 2 or 3.", () -> dpm(Map.of("solver_order", 4)));
    assertRefused(
        "[scheduler] solver_order is 2.5: use a whole number.",
        () -> dpm(Map.of("solver_order", 2.5)));
    assertRefused(
        "[scheduler] algorithm_type is \"euler\": use one of dpmsolver, dpmsolver++,"
            + " sde-dpmsolver, sde-dpmsolver++.",
        () -> dpm(Map.of("algorithm_type", "euler")));
    assertRefused(
        "[scheduler] solver_type is \"rk4\": use one of midpoint, heun.",
        () -> dpm(Map.of("solver_type", "rk4")));
    assertRefused(
        "[scheduler] variance_type is \"fixed\": use one of learned, learned_range.",
        () -> dpm(Map.of("variance_type", "fixed")));
    assertRefused(
        "[scheduler] final_sigmas_type is \"zero\" and algorithm_type \"dpmsolver\", which needs"
            + " \"sigma_min\".",
        () -> dpm(Map.of("algorithm_type", "dpmsolver")));
    assertRefused(
        "[scheduler] solver_order is 3 and algorithm_type \"sde-dpmsolver\", which has no third"
            + " order: use 1 or 2, or \"sde-dpmsolver++\".",
        () ->
            dpm(
                Map.of(
                    "algorithm_type",
                    "sde-dpmsolver",
                    "solver_order",
                    3,
                    "final_sigmas_type",
                    "sigma_min")));
    assertRefused(
        "[scheduler] dynamic_thresholding_ratio is 1.5: use 0 to 1.",
        () -> dpm(Map.of("thresholding", true, "dynamic_thresholding_ratio", 1.5)));
    assertRefused(
        "[scheduler] lambda_min_clipped is 1000.0: no timestep is left, use less.",
        () -> dpm(Map.of("lambda_min_clipped", 1000.0)));
    assertRefused(
        "[scheduler] timestep_spacing is \"log\": use one of linspace, leading, trailing.",
        () -> euler(Map.of("timestep_spacing", "log")));
    assertRefused(
        "[scheduler] interpolation_type is \"cubic\": use one of linear, log_linear.",
        () -> euler(Map.of("interpolation_type", "cubic")));
    assertRefused(
        "[scheduler] timestep_type is \"real\": use one of discrete, continuous.",
        () -> euler(Map.of("timestep_type", "real")));
    assertRefused(
        "[scheduler] prediction_type is \"x0\": use one of epsilon, sample, v_prediction.",
        () -> euler(Map.of("prediction_type", "x0")));
    assertRefused(
        "[scheduler] final_sigmas_type is \"one\": use one of zero, sigma_min.",
        () -> euler(Map.of("final_sigmas_type", "one")));
    assertRefused(
        "[scheduler] beta_schedule is \"sigmoid\": use one of linear, scaled_linear,"
            + " squaredcos_cap_v2.",
        () -> euler(Map.of("beta_schedule", "sigmoid")));
    assertRefused(
        "[scheduler] beta_end is 1.5: use 0 or more and less than 1.",
        () -> euler(Map.of("beta_end", 1.5)));
    assertRefused(
        "[scheduler] beta_start is \"low\": use a number.",
        () -> euler(Map.of("beta_start", "low")));
    assertRefused(
        "[scheduler] trained_betas holds 2.0: use 0 or more and less than 1.",
        () -> euler(Map.of("trained_betas", List.of(0.1, 2))));
    assertRefused(
        "[scheduler] trained_betas is [\"a\"]: use a list of numbers.",
        () -> euler(Map.of("trained_betas", List.of("a"))));
    assertRefused(
        "[scheduler] num_train_timesteps is 1: use 2 to 100000.",
        () -> euler(Map.of("num_train_timesteps", 1)));
    assertRefused(
        "[scheduler] sigma_min is 0: use a finite number above 0.",
        () -> euler(Map.of("sigma_min", 0)));
    assertRefused(
        "[scheduler] use_karras_sigmas is \"yes\": use true or false.",
        () -> euler(Map.of("use_karras_sigmas", "yes")));
  }

  @Test
  void churnMustNotBeNegative() {
    assertRefused(
        "[scheduler] s_churn -1.0, s_tmin 0.0, s_tmax 1.0, s_noise 1.0: each must be 0 or more.",
        () -> new EulerDiscreteScheduler.Churn(-1, 0, 1, 1));
  }

  @Test
  void stepsThatDoNotExistAndLengthsThatDifferAreRefused() throws IOException {
    for (Scheduler scheduler : List.of(euler(Map.of()), dpm(Map.of()))) {
      Schedule.Run run = scheduler.schedule(Steps.of(4)).start(NO_NOISE);
      String name = scheduler.className();
      Slice two = Slice.of(1, 2);
      Slice three = Slice.of(1, 2, 3);
      assertRefused(
          "[scheduler] " + name + " has no step 4: its steps are 0 to 3.",
          () -> run.step(4, two, two));
      assertRefused(
          "[scheduler] " + name + " has no step -1: its steps are 0 to 3.",
          () -> run.scaleModelInput(-1, two, two));
      assertRefused(
          "[scheduler] model output has 3 values: the sample has 2, and they must agree.",
          () -> run.step(0, three, two));
      assertRefused(
          "[scheduler] scaled has 3 values: the sample has 2, and they must agree.",
          () -> run.scaleModelInput(0, two, three));
    }
    assertThrows(IndexOutOfBoundsException.class, () -> new Slice(new float[4], 2, 3));
  }

  @Test
  void namesOfOtherSolversBecomeTheNearestOfDpmSolver() throws IOException {
    Scheduler scheduler =
        dpm(
            Map.of(
                "algorithm_type", "deis", "solver_type", "bh2", "final_sigmas_type", "sigma_min"));
    assertEquals("dpmsolver++", scheduler.config().text("algorithm_type"));
    assertEquals("midpoint", scheduler.config().text("solver_type"));
    assertFalse(scheduler.config().isDefault("solver_type"));
    assertRefused(
        "[scheduler] final_sigmas_type is \"zero\" and algorithm_type \"deis\", which needs"
            + " \"sigma_min\".",
        () -> dpm(Map.of("algorithm_type", "deis")));
  }
}
