package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SchedulersCommandTest {
  private static List<JsonObject> listed() {
    JsonObject json = Run.of("schedulers", "--json").json();
    assertEquals(Set.of("schedulers"), json.keySet());
    return json.getAsJsonArray("schedulers").asList().stream()
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private static JsonObject find(String name) {
    return listed().stream()
        .filter(scheduler -> scheduler.get("name").getAsString().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void jsonHasNameShortNamesAndOptionsOfAllEighteen() {
    assertEquals(18, listed().size());
    for (JsonObject scheduler : listed()) {
      assertEquals(Set.of("name", "shortNames", "options"), scheduler.keySet());
      assertTrue(scheduler.getAsJsonArray("shortNames").size() > 0, scheduler.toString());
      assertTrue(scheduler.getAsJsonObject("options").size() > 0, scheduler.toString());
    }
  }

  @Test
  void namesAndShortNamesAreTakenByGenerate() {
    for (JsonObject scheduler : listed()) {
      String name = scheduler.get("name").getAsString();
      assertEquals(name, Schedulers.byName(name).className());
      for (JsonElement shortName : scheduler.getAsJsonArray("shortNames")) {
        assertEquals(name, Schedulers.byName(shortName.getAsString()).className());
      }
    }
  }

  @Test
  void defaultsAreThoseOfDiffusers() {
    JsonObject euler = find("EulerDiscreteScheduler");
    assertEquals("[\"euler\"]", euler.get("shortNames").toString());
    JsonObject options = euler.getAsJsonObject("options");
    assertEquals(1000, options.get("num_train_timesteps").getAsInt());
    assertEquals(0.0001, options.get("beta_start").getAsDouble());
    assertEquals("linear", options.get("beta_schedule").getAsString());
    assertEquals("false", options.get("use_karras_sigmas").toString());
    assertTrue(options.has("trained_betas") && options.get("trained_betas").isJsonNull());
    JsonObject dpm = find("DPMSolverMultistepScheduler").getAsJsonObject("options");
    assertEquals(2, dpm.get("solver_order").getAsInt());
    assertEquals(Double.NEGATIVE_INFINITY, dpm.get("lambda_min_clipped").getAsDouble());
  }

  @Test
  void withANameEachOptionSaysWhatItTakesAndMeans() {
    Run run = Run.of("schedulers", "euler", "DDIMScheduler");
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals("EulerDiscreteScheduler (euler)", lines.get(0));
    assertEquals("    num_train_timesteps=1000", lines.get(1));
    assertEquals("        2 to 100000: how many timesteps the model was trained on", lines.get(2));
    assertEquals("    beta_start=0.0001", lines.get(3));
    SchedulerType ddim = Schedulers.byName("ddim");
    assertEquals(
        1 + 2 * ddim.options().size(), lines.size() - lines.indexOf("DDIMScheduler (ddim)"));
    assertEquals(
        1, Run.of("schedulers", "lcm", "--json").json().getAsJsonArray("schedulers").size());
  }

  @Test
  void aNameThatIsNoneIsAUsageError() {
    Run run = Run.of("schedulers", "sasolver");
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("[scheduler] no scheduler \"sasolver\": use one of "), run.err());
    assertEquals("", run.out());
  }

  @Test
  void jsonHasNoWordForInfinityWhichOnlySomeReadersKnow() {
    String line = Run.of("schedulers", "--json").out();
    assertTrue(!line.contains("Infinity") && !line.contains("NaN"), line);
  }

  @Test
  void everyLineOfTheTextIsASchedulerOptionThatGivesTheDefault() {
    Run run = Run.of("schedulers");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("", run.err());
    List<String> lines = new ArrayList<>(run.out().lines().toList());
    for (SchedulerType type : Schedulers.all()) {
      assertEquals(type.toString(), lines.removeFirst());
      Map<String, Object> options = new LinkedHashMap<>();
      while (!lines.isEmpty() && lines.getFirst().startsWith(" ")) {
        String[] option = lines.removeFirst().strip().split("=", 2);
        options.put(option[0], SchedulerConfig.parseValue(option[1]));
      }
      assertEquals(type.defaults().keys(), options.keySet());
      SchedulerConfig config = type.fromConfig(SchedulerConfig.of(Map.of()), options).config();
      for (String key : options.keySet()) {
        assertEquals(type.defaults().get(key), config.get(key), type + " " + key);
      }
    }
    assertTrue(lines.isEmpty(), lines.toString());
  }
}
