package io.github.kolors4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchedulerConfigTest {
  private static final Path KOLORS = Path.of("src/test/resources/scheduler");

  @TempDir Path directory;

  private Path write(String json) throws IOException {
    return Files.writeString(directory.resolve("scheduler_config.json"), json);
  }

  private void assertLoadFails(String message, String json) throws IOException {
    Path file = write(json);
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> Schedulers.load(file.getParent()));
    assertEquals("[config] " + file + ": " + message, e.getMessage());
  }

  // ---- from one scheduler to another

  @Test
  void keysThatAClassDoesNotKnowAreKeptForTheNext() throws IOException {
    Scheduler euler = Schedulers.load(KOLORS);
    assertInstanceOf(EulerDiscreteScheduler.class, euler);
    assertEquals(false, euler.config().get("clip_sample"));
    assertEquals(true, euler.config().get("skip_prk_steps"));

    Scheduler dpm = DPMSolverMultistepScheduler.fromConfig(euler.config());
    assertEquals(false, dpm.config().get("clip_sample"));
    assertEquals("linear", dpm.config().text("interpolation_type"));
    assertEquals("DPMSolverMultistepScheduler", dpm.config().text("_class_name"));
    assertEquals(1100, dpm.config().integer("num_train_timesteps"));
  }

  @Test
  void valuesThatWereOnlyDefaultsAreNotHandedOn() throws IOException {
    Scheduler dpm =
        DPMSolverMultistepScheduler.fromConfig(
            SchedulerConfig.of(Map.of("beta_end", 0.014)), Map.of("solver_order", 3));
    assertTrue(dpm.config().isDefault("solver_type"));
    assertFalse(dpm.config().isDefault("solver_order"));
    assertFalse(dpm.config().isDefault("beta_end"));

    Scheduler euler = EulerDiscreteScheduler.fromConfig(dpm.config());
    assertFalse(euler.config().keys().contains("solver_type"));
    assertEquals(3, euler.config().integer("solver_order"));
    assertEquals(0.014, euler.config().number("beta_end"));
    assertTrue(euler.config().isDefault("beta_start"));
  }

  @Test
  void aListOfDefaultsInTheConfigurationIsHonoured() {
    SchedulerConfig config =
        SchedulerConfig.of(
            Map.of(
                "timestep_spacing",
                "trailing",
                "steps_offset",
                1,
                "_use_default_values",
                List.of("timestep_spacing")));
    Scheduler euler = EulerDiscreteScheduler.fromConfig(config);
    assertEquals("linspace", euler.config().text("timestep_spacing"));
    assertEquals(1, euler.config().integer("steps_offset"));
    assertFalse(euler.config().keys().contains("_use_default_values"));
  }

  @Test
  void sigmaBoundsThatAnotherSchedulerLeftCountWithDpmSolverToo() throws IOException {
    SchedulerConfig left =
        EulerDiscreteScheduler.fromConfig(
                Schedulers.load(KOLORS).config(), Map.of("sigma_min", 0.2, "sigma_max", 9))
            .config();
    float[] sigmas =
        DPMSolverMultistepScheduler.fromConfig(left, Map.of("use_karras_sigmas", true))
            .schedule(Steps.of(5))
            .sigmas();
    assertEquals(9, sigmas[0], 1e-5);
    assertEquals(0.2, sigmas[4], 1e-6);
  }

  @Test
  void anOptionThatTheClassDoesNotHaveIsRefused() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                EulerDiscreteScheduler.fromConfig(
                    SchedulerConfig.of(Map.of()), Map.of("solver_order", 2)));
    assertTrue(
        e.getMessage()
            .startsWith(
                "[scheduler] EulerDiscreteScheduler has no option solver_order: use one of"
                    + " num_train_timesteps, "),
        e.getMessage());
  }

  // ---- by name

  @Test
  void classNamesAndShortNamesFindTheClass() {
    assertEquals("EulerDiscreteScheduler", Schedulers.byName("euler").className());
    assertEquals("EulerDiscreteScheduler", Schedulers.byName("EulerDiscreteScheduler").className());
    assertEquals("DPMSolverMultistepScheduler", Schedulers.byName("DPMSolver++").className());
    assertEquals(18, Schedulers.all().size());
    for (SchedulerType type : Schedulers.all()) {
      assertEquals(type, Schedulers.byName(type.className()));
      type.shortNames().forEach(name -> assertEquals(type, Schedulers.byName(name)));
      Scheduler scheduler = type.fromConfig(SchedulerConfig.of(Map.of()), Map.of());
      assertEquals(type.className(), scheduler.className());
    }
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Schedulers.byName("sasolver"));
    assertEquals(
        "[scheduler] no scheduler \"sasolver\": use one of euler, dpmsolver++, ddim, ddpm, pndm, lms,"
            + " heun, euler-ancestral, dpmsolver++-singlestep, dpm2, dpm2-ancestral, deis, unipc,"
            + " dpmsolver-sde, edm-euler, edm-dpmsolver++, lcm, tcd.",
        e.getMessage());
  }

  // ---- files

  @Test
  void readsWhatPythonWritesForInfinity() throws IOException {
    Path file =
        write(
            "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"lambda_min_clipped\": -Infinity,"
                + " \"note\": \"Infinity \\\" Infinity\"}");
    SchedulerConfig config = Schedulers.load(file.getParent()).config();
    assertEquals(Double.NEGATIVE_INFINITY, config.number("lambda_min_clipped"));
    assertEquals("Infinity \" Infinity", config.text("note"));
    assertTrue(config.toString().contains("\"lambda_min_clipped\": -Infinity"));
  }

  @Test
  void aConfigurationWrittenIsTheConfigurationRead() throws IOException {
    SchedulerConfig config = SchedulerConfig.read(KOLORS.resolve("scheduler_config.json"));
    assertEquals(config, SchedulerConfig.read(write(config.toString())));
  }

  @Test
  void damagedFilesAreNamedWithThePosition() throws IOException {
    assertLoadFails(
        "is not valid JSON at line 2 column 5: a ':' belongs after a key.", "{\n\"a\" 1}");
    assertLoadFails("ends in the middle, at line 1 column 8. Incomplete download?", "{\"a\": 1");
    assertLoadFails("is not valid JSON at line 1 column 4: nothing may follow the value.", "{} {}");
    assertLoadFails("has an array at \"$\" where an object belongs.", "[1]");
    Path missing = directory.resolve("none");
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> Schedulers.load(missing));
    assertEquals(
        "[config] "
            + missing.resolve("scheduler_config.json")
            + ": there is no such file in "
            + missing
            + ". Incomplete download?",
        e.getMessage());
    Files.write(directory.resolve("scheduler_config.json"), new byte[] {'{', '"', (byte) 0xff});
    e = assertThrows(InvalidFileException.class, () -> Schedulers.load(directory));
    assertTrue(e.getMessage().endsWith(": is not UTF-8 text. Corrupt?"), e.getMessage());
  }

  @Test
  void valuesThatAreNotSupportedAreNamedWithTheFile() throws IOException {
    assertLoadFails(
        "_class_name is \"SASolverScheduler\": supported are EulerDiscreteScheduler,"
            + " DPMSolverMultistepScheduler, DDIMScheduler, DDPMScheduler, PNDMScheduler,"
            + " LMSDiscreteScheduler, HeunDiscreteScheduler, EulerAncestralDiscreteScheduler,"
            + " DPMSolverSinglestepScheduler, KDPM2DiscreteScheduler,"
            + " KDPM2AncestralDiscreteScheduler, DEISMultistepScheduler, UniPCMultistepScheduler,"
            + " DPMSolverSDEScheduler, EDMEulerScheduler, EDMDPMSolverMultistepScheduler,"
            + " LCMScheduler, TCDScheduler.",
        "{\"_class_name\": \"SASolverScheduler\"}");
    assertLoadFails("_class_name is null: use a text.", "{}");
    assertLoadFails(
        "beta_schedule is \"x\": use one of linear, scaled_linear, squaredcos_cap_v2.",
        "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_schedule\": \"x\"}");
  }

  @Test
  void aValueOfHalfAMegabyteIsNotRepeatedInFull() throws IOException {
    assertLoadFails(
        "beta_schedule is \""
            + "x".repeat(76)
            + "...: use one of linear, scaled_linear,"
            + " squaredcos_cap_v2.",
        "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_schedule\": \""
            + "x".repeat(500_000)
            + "\"}");
  }

  @Test
  void aNameOfHalfAMegabyteIsNotRepeatedInFull() {
    String name = "x".repeat(500_000);
    String shown = "x".repeat(77) + "...";
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Schedulers.byName(name));
    assertTrue(
        e.getMessage()
            .startsWith("[scheduler] no scheduler \"" + shown + "\": use one of euler, "));
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> EulerDiscreteScheduler.fromConfig(SchedulerConfig.of(Map.of()), Map.of(name, 1)));
    assertTrue(
        e.getMessage().startsWith("[scheduler] EulerDiscreteScheduler has no option " + shown));
  }

  @Test
  void aKeyTwiceIsRefused() throws IOException {
    assertLoadFails(
        "has the key \"beta_end\" twice.",
        "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_end\": 0.1, \"beta_end\": 0.2}");
  }

  /** As Python writes it, with an item a line. */
  @Test
  void aConfigurationIsWrittenAsDiffusersWritesIt() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("_class_name", "X");
    values.put("beta_start", 0.0001);
    values.put("tiny", 1e-5);
    values.put("disable_corrector", List.of(0, 2));
    values.put("lambda_min_clipped", Double.NEGATIVE_INFINITY);
    values.put("trained_betas", null);
    assertEquals(
        """
        {
          "_class_name": "X",
          "beta_start": 0.0001,
          "tiny": 1e-05,
          "disable_corrector": [
            0,
            2
          ],
          "lambda_min_clipped": -Infinity,
          "trained_betas": null
        }""",
        SchedulerConfig.of(values).toString());
  }

  // ---- values

  @Test
  void commandLineValuesAreJsonWhereTheyParseAndElseText() {
    assertEquals(true, SchedulerConfig.parseValue("true"));
    assertEquals(3L, SchedulerConfig.parseValue("3"));
    assertEquals(0.5, SchedulerConfig.parseValue("0.5"));
    assertEquals("trailing", SchedulerConfig.parseValue("trailing"));
    assertEquals("dpmsolver++", SchedulerConfig.parseValue("\"dpmsolver++\""));
    assertEquals(List.of(0.1, 2L), SchedulerConfig.parseValue("[0.1, 2]"));
    assertNull(SchedulerConfig.parseValue("null"));
    assertEquals("", SchedulerConfig.parseValue(""));
  }

  @Test
  void aFormattedValueParsesToItself() {
    List<Object> values = new ArrayList<>(List.of(true, 3L, 0.5, 1e-7, "karras", "", "true", "3"));
    values.add(null);
    values.add("null");
    values.add("two\nlines");
    values.add(List.of(0.1, 2L));
    values.add(Double.NEGATIVE_INFINITY);
    for (Object value : values) {
      assertEquals(value, SchedulerConfig.parseValue(SchedulerConfig.formatValue(value)));
    }
    assertEquals("karras", SchedulerConfig.formatValue("karras"));
    assertEquals("\"true\"", SchedulerConfig.formatValue("true"));
    assertEquals("-Infinity", SchedulerConfig.formatValue(Double.NEGATIVE_INFINITY));
  }

  @Test
  void arraysAndFloatsMeanWhatTheySay() {
    SchedulerConfig config =
        SchedulerConfig.of(Map.of("a", new float[] {0.1f}, "b", new double[] {0.2}, "c", 0.3f));
    assertEquals(0.1, config.optionalNumbers("a").orElseThrow()[0]);
    assertEquals(0.2, config.optionalNumbers("b").orElseThrow()[0]);
    assertEquals(0.3, config.number("c"));
    assertThrows(
        IllegalArgumentException.class, () -> SchedulerConfig.of(Map.of("a", new Object())));
  }
}
