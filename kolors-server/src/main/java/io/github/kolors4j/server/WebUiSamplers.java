package io.github.kolors4j.server;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** AUTOMATIC1111's names of samplers and of their noise schedules, in diffusers' terms. */
final class WebUiSamplers {
  /** Its name for the checkpoint's own. */
  private static final String AUTOMATIC = "Automatic";

  /**
   * A sampler.
   *
   * @param name as AUTOMATIC1111 has it
   * @param scheduler diffusers' class
   * @param options of the class
   */
  record Sampler(String name, String scheduler, Map<String, ?> options) {}

  private static final List<Sampler> SAMPLERS =
      List.of(
          new Sampler("Euler", "EulerDiscreteScheduler", Map.of()),
          new Sampler("Euler a", "EulerAncestralDiscreteScheduler", Map.of()),
          new Sampler("DPM++ 2M", "DPMSolverMultistepScheduler", Map.of()),
          new Sampler(
              "DPM++ 2M SDE",
              "DPMSolverMultistepScheduler",
              Map.of("algorithm_type", "sde-dpmsolver++")),
          new Sampler("DPM++ SDE", "DPMSolverSDEScheduler", Map.of()),
          new Sampler("DPM2", "KDPM2DiscreteScheduler", Map.of()),
          new Sampler("DPM2 a", "KDPM2AncestralDiscreteScheduler", Map.of()),
          new Sampler("Heun", "HeunDiscreteScheduler", Map.of()),
          new Sampler("LMS", "LMSDiscreteScheduler", Map.of()),
          new Sampler("DDIM", "DDIMScheduler", Map.of()),
          new Sampler("PLMS", "PNDMScheduler", Map.of("skip_prk_steps", true)),
          new Sampler("UniPC", "UniPCMultistepScheduler", Map.of()),
          new Sampler("DEIS", "DEISMultistepScheduler", Map.of()),
          new Sampler("LCM", "LCMScheduler", Map.of()),
          new Sampler("TCD", "TCDScheduler", Map.of()));

  private static final Map<String, Map<String, ?>> SCHEDULES = new LinkedHashMap<>();

  static {
    SCHEDULES.put(AUTOMATIC, Map.of());
    SCHEDULES.put("Karras", Map.of("use_karras_sigmas", true));
    SCHEDULES.put("Exponential", Map.of("use_exponential_sigmas", true));
    SCHEDULES.put("Beta", Map.of("use_beta_sigmas", true));
    SCHEDULES.put("SGM Uniform", Map.of("timestep_spacing", "trailing"));
  }

  private WebUiSamplers() {}

  /** A sampler with its schedule. */
  record Choice(String scheduler, Map<String, ?> options) {}

  /**
   * What two names mean; older clients have both in one, as {@code DPM++ 2M Karras}.
   *
   * @param sampler AUTOMATIC1111's name, or one of diffusers
   * @param schedule AUTOMATIC1111's name
   * @return empty for the checkpoint's own
   */
  static Optional<Choice> choose(Optional<String> sampler, Optional<String> schedule) {
    String name = sampler.filter(text -> !text.isEmpty()).orElse(AUTOMATIC);
    String spacing =
        schedule.filter(text -> !text.isEmpty()).map(WebUiSamplers::schedule).orElse(AUTOMATIC);
    for (String each : SCHEDULES.keySet()) {
      String ending = " " + each.toLowerCase(Locale.ROOT);
      if (name.toLowerCase(Locale.ROOT).endsWith(ending)) {
        name = name.substring(0, name.length() - ending.length());
        spacing = each;
      }
    }
    if (name.equalsIgnoreCase(AUTOMATIC) && spacing.equals(AUTOMATIC)) {
      return Optional.empty();
    }
    Map<String, Object> options = new LinkedHashMap<>();
    String scheduler = name;
    for (Sampler each : SAMPLERS) {
      if (each.name().equalsIgnoreCase(name)) {
        scheduler = each.scheduler();
        options.putAll(each.options());
      }
    }
    options.putAll(SCHEDULES.getOrDefault(spacing, Map.of()));
    return Optional.of(new Choice(scheduler.equalsIgnoreCase(AUTOMATIC) ? "" : scheduler, options));
  }

  private static String schedule(String name) {
    return SCHEDULES.keySet().stream()
        .filter(each -> each.equalsIgnoreCase(name.replace('_', ' ')))
        .findFirst()
        .orElseThrow(
            () ->
                ApiException.field(
                    "scheduler",
                    "[request] no schedule of that name: use one of %s."
                        .formatted(String.join(", ", SCHEDULES.keySet()))));
  }

  /** The samplers, as AUTOMATIC1111 lists them. */
  static List<Map<String, Object>> samplers() {
    return SAMPLERS.stream()
        .map(
            sampler -> {
              Map<String, Object> json = new LinkedHashMap<>();
              json.put("name", sampler.name());
              json.put("aliases", List.of(sampler.scheduler()));
              json.put("options", Map.of());
              return json;
            })
        .toList();
  }

  /** The schedules, as AUTOMATIC1111 lists them. */
  static List<Map<String, Object>> schedules() {
    return SCHEDULES.keySet().stream()
        .map(
            name -> {
              Map<String, Object> json = new LinkedHashMap<>();
              json.put("name", name.toLowerCase(Locale.ROOT).replace(' ', '_'));
              json.put("label", name);
              return json;
            })
        .toList();
  }
}
