package io.github.kolors4j.server;

import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** AUTOMATIC1111's names of samplers and of their noise schedules, in diffusers' terms. */
final class WebUiSamplers {
  /** Its name for the checkpoint's own. */
  private static final String AUTOMATIC = "Automatic";

  private static final String ALGORITHM = "algorithm_type";

  /**
   * A sampler.
   *
   * @param name as AUTOMATIC1111 shows it
   * @param aliases that it has there too
   * @param scheduler diffusers' class
   * @param options of the class
   */
  record Sampler(String name, List<String> aliases, String scheduler, Map<String, ?> options) {
    private static Sampler of(String name, String scheduler, String... aliases) {
      return new Sampler(name, List.of(aliases), scheduler, Map.of());
    }

    private static Sampler of(
        String name, String scheduler, Map<String, ?> options, String... aliases) {
      return new Sampler(name, List.of(aliases), scheduler, options);
    }

    private boolean isCalled(String sampler) {
      return plain(name).equals(sampler)
          || aliases.stream().anyMatch(alias -> plain(alias).equals(sampler));
    }
  }

  private static final List<Sampler> SAMPLERS =
      List.of(
          Sampler.of("Euler", "EulerDiscreteScheduler", "k_euler"),
          Sampler.of("Euler a", "EulerAncestralDiscreteScheduler", "k_euler_a", "euler_ancestral"),
          Sampler.of("DPM++ 2M", "DPMSolverMultistepScheduler", "k_dpmpp_2m"),
          Sampler.of(
              "DPM++ 2M SDE",
              "DPMSolverMultistepScheduler",
              Map.of(ALGORITHM, "sde-dpmsolver++"),
              "k_dpmpp_2m_sde"),
          Sampler.of("DPM++ SDE", "DPMSolverSDEScheduler", "k_dpmpp_sde"),
          Sampler.of("DPM2", "KDPM2DiscreteScheduler", "k_dpm_2"),
          Sampler.of("DPM2 a", "KDPM2AncestralDiscreteScheduler", "k_dpm_2_a", "dpm_2_ancestral"),
          Sampler.of("Heun", "HeunDiscreteScheduler", "k_heun"),
          Sampler.of("LMS", "LMSDiscreteScheduler", "k_lms"),
          Sampler.of("DDIM", "DDIMScheduler"),
          Sampler.of("PLMS", "PNDMScheduler", Map.of("skip_prk_steps", true)),
          Sampler.of("UniPC", "UniPCMultistepScheduler", "uni_pc"),
          Sampler.of("DEIS", "DEISMultistepScheduler"),
          Sampler.of("LCM", "LCMScheduler", "k_lcm"),
          Sampler.of("TCD", "TCDScheduler"));

  /**
   * A noise schedule.
   *
   * @param name as AUTOMATIC1111 shows it
   * @param ending by which older clients say it behind the name of a sampler, the sampler before it
   * @param option of diffusers
   * @param value of the option
   */
  private record Noise(String name, Pattern ending, String option, Object value) {
    private static Noise of(String name, String endings, String option, Object value) {
      Pattern ending = Pattern.compile("(.+)[ _-](?:" + endings + ")", Pattern.CASE_INSENSITIVE);
      return new Noise(name, ending, option, value);
    }
  }

  private static final List<Noise> SCHEDULES =
      List.of(
          Noise.of("Karras", "karras|ka", "use_karras_sigmas", true),
          Noise.of("Exponential", "exponential|exp", "use_exponential_sigmas", true),
          Noise.of("Beta", "beta", "use_beta_sigmas", true),
          Noise.of("SGM Uniform", "sgm[ _-]?uniform|sgm", "timestep_spacing", "trailing"));

  private WebUiSamplers() {}

  /** A sampler with its schedule. */
  record Choice(String scheduler, Map<String, ?> options) {}

  /** Letters and digits alone, the signs of plus as letters, and without k-diffusion's k. */
  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT)
        .replaceFirst("^k_", "")
        .replace("++", "pp")
        .replaceAll("[^a-z0-9]", "");
  }

  /**
   * What two names mean; older clients have both in one, as {@code DPM++ 2M Karras}. Capitals,
   * spaces, underscores and hyphens do not matter.
   *
   * @param sampler AUTOMATIC1111's name, or one of diffusers
   * @param schedule AUTOMATIC1111's name
   * @return empty for the checkpoint's own
   */
  static Optional<Choice> choose(Optional<String> sampler, Optional<String> schedule) {
    String given = sampler.map(String::strip).filter(text -> !text.isEmpty()).orElse(AUTOMATIC);
    Map<String, Object> options = new LinkedHashMap<>();
    schedule
        .filter(text -> !text.isEmpty())
        .flatMap(WebUiSamplers::schedule)
        .ifPresent(noise -> options.put(noise.option, noise.value));
    for (Noise noise : SCHEDULES) {
      Matcher matcher = noise.ending.matcher(given);
      if (matcher.matches()) {
        given = matcher.group(1);
        options.clear();
        options.put(noise.option, noise.value);
        break;
      }
    }
    String name = plain(given);
    if (name.equals(plain(AUTOMATIC))) {
      return options.isEmpty() ? Optional.empty() : Optional.of(new Choice("", options));
    }
    Optional<Sampler> known = SAMPLERS.stream().filter(each -> each.isCalled(name)).findFirst();
    known.ifPresent(each -> each.options.forEach(options::putIfAbsent));
    return Optional.of(
        new Choice(known.isPresent() ? known.get().scheduler : diffusers(given), options));
  }

  /** A class of diffusers, which a client may name too. */
  private static String diffusers(String name) {
    try {
      return Schedulers.byName(name).className();
    } catch (IllegalArgumentException _) {
      throw ApiException.field(
          "sampler_name",
          "[request] no sampler of that name: use one of %s, with %s behind it if you like."
              .formatted(
                  SAMPLERS.stream().map(Sampler::name).collect(Collectors.joining(", ")),
                  SCHEDULES.stream().map(Noise::name).collect(Collectors.joining(", "))));
    }
  }

  private static Optional<Noise> schedule(String name) {
    String wanted = plain(name);
    if (wanted.equals(plain(AUTOMATIC))) {
      return Optional.empty();
    }
    Optional<Noise> found =
        SCHEDULES.stream().filter(each -> plain(each.name).equals(wanted)).findFirst();
    if (found.isEmpty()) {
      throw ApiException.field(
          "scheduler",
          "[request] no schedule of that name: use one of %s, %s."
              .formatted(
                  AUTOMATIC,
                  SCHEDULES.stream().map(Noise::name).collect(Collectors.joining(", "))));
    }
    return found;
  }

  /**
   * What AUTOMATIC1111 calls a scheduler.
   *
   * @param scheduler of a picture
   * @param own the checkpoint's, whose spacing needs no word
   * @return as {@code DPM++ 2M Karras}; the name of the class where there is no other
   */
  static String name(Scheduler scheduler, Scheduler own) {
    List<Sampler> ofClass =
        SAMPLERS.stream().filter(each -> each.scheduler.equals(scheduler.className())).toList();
    Optional<Sampler> sampler =
        ofClass.stream()
            .filter(each -> !each.options.isEmpty() && has(scheduler, each.options))
            .findFirst()
            .or(() -> ofClass.stream().findFirst());
    String name = sampler.map(Sampler::name).orElse(scheduler.className());
    return SCHEDULES.stream()
        .filter(noise -> has(scheduler, Map.of(noise.option, noise.value)))
        .filter(
            noise ->
                !noise.option.equals("timestep_spacing")
                    || !has(own, Map.of(noise.option, noise.value)))
        .findFirst()
        .map(noise -> name + " " + noise.name)
        .orElse(name);
  }

  private static boolean has(Scheduler scheduler, Map<String, ?> options) {
    return options.entrySet().stream()
        .allMatch(
            option ->
                scheduler.config().keys().contains(option.getKey())
                    && option.getValue().equals(scheduler.config().get(option.getKey())));
  }

  /** The samplers, as AUTOMATIC1111 lists them. */
  static List<Map<String, Object>> samplers() {
    return SAMPLERS.stream()
        .map(
            sampler -> {
              List<String> aliases = new ArrayList<>(sampler.aliases);
              aliases.add(sampler.scheduler);
              Map<String, Object> json = new LinkedHashMap<>();
              json.put("name", sampler.name());
              json.put("aliases", aliases);
              json.put("options", Map.of());
              return json;
            })
        .toList();
  }

  /** The schedules, as AUTOMATIC1111 lists them. */
  static List<Map<String, Object>> schedules() {
    List<String> names = new ArrayList<>(List.of(AUTOMATIC));
    SCHEDULES.forEach(each -> names.add(each.name));
    return names.stream()
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
