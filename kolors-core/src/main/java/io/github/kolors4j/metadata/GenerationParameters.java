package io.github.kolors4j.metadata;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Steps;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The text of AUTOMATIC1111's web UI, {@code infotext}: the prompt, a line of the negative prompt,
 * and a line of settings. A value with a comma or a colon in it is written as a JSON string.
 */
final class GenerationParameters {
  /** The samplers by their names there, where one computes the same. */
  private static final Map<String, String> SAMPLERS =
      Map.ofEntries(
          Map.entry("EulerDiscreteScheduler", "Euler"),
          Map.entry("EulerAncestralDiscreteScheduler", "Euler a"),
          Map.entry("DPMSolverMultistepScheduler", "DPM++ 2M"),
          Map.entry("DPMSolverSDEScheduler", "DPM++ SDE"),
          Map.entry("KDPM2DiscreteScheduler", "DPM2"),
          Map.entry("KDPM2AncestralDiscreteScheduler", "DPM2 a"),
          Map.entry("HeunDiscreteScheduler", "Heun"),
          Map.entry("LMSDiscreteScheduler", "LMS"),
          Map.entry("DDIMScheduler", "DDIM"),
          Map.entry("PNDMScheduler", "PLMS"),
          Map.entry("UniPCMultistepScheduler", "UniPC"),
          Map.entry("LCMScheduler", "LCM"));

  private static final int SHORT_HASH = 10;

  private GenerationParameters() {}

  static String of(PictureMetadata metadata) {
    ImageRequest request = metadata.request();
    int prompt = metadata.image() / request.numImagesPerPrompt();
    StringBuilder text = new StringBuilder();
    text.append(of(request.prompts(), prompt)).append('\n');
    String negative = of(request.negativePrompts(), prompt);
    if (!negative.isEmpty()) {
      text.append("Negative prompt: ").append(negative).append('\n');
    }
    return text.append(
            settings(metadata).entrySet().stream()
                .map(setting -> setting.getKey() + ": " + quoted(setting.getValue()))
                .collect(Collectors.joining(", ")))
        .toString();
  }

  private static String of(List<String> texts, int prompt) {
    return texts.isEmpty() ? "" : texts.get(texts.size() == 1 ? 0 : prompt);
  }

  private static Map<String, String> settings(PictureMetadata metadata) {
    ImageRequest request = metadata.request();
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("Steps", Integer.toString(count(request.steps())));
    settings.put("Sampler", sampler(metadata));
    settings.put("Schedule type", scheduleType(metadata.scheduler()));
    settings.put("CFG scale", number(request.guidance().scale()));
    if (!request.seeds().isEmpty()) {
      settings.put("Seed", Long.toUnsignedString(request.seeds().get(metadata.image())));
    }
    if (request.width().isPresent() && request.height().isPresent()) {
      settings.put("Size", request.width().getAsInt() + "x" + request.height().getAsInt());
    }
    settings.put("Model hash", metadata.model().hash().substring(0, SHORT_HASH));
    settings.put("Model", metadata.model().name());
    if (request.start() instanceof Start.Image from) {
      settings.put("Denoising strength", number(from.strength()));
    }
    if (request.guidance().rescale() != 0) {
      settings.put("CFG Rescale φ", number(request.guidance().rescale()));
    }
    settings.put("RNG", request.rng().toString().startsWith("cuda") ? "GPU" : "CPU");
    settings.put("Version", "kolors4j " + metadata.engine().library());
    return settings;
  }

  private static int count(Steps steps) {
    return switch (steps) {
      case Steps.Count(int count) -> count;
      case Steps.Timesteps(float[] timesteps) -> timesteps.length;
      case Steps.Sigmas(float[] sigmas) -> sigmas.length - 1;
    };
  }

  private static String sampler(PictureMetadata metadata) {
    String name = metadata.schedulerClass();
    boolean stochastic =
        metadata.scheduler().get("algorithm_type") instanceof String type
            && type.startsWith("sde-");
    String sampler = SAMPLERS.getOrDefault(name, name);
    return stochastic && sampler.equals("DPM++ 2M") ? "DPM++ 2M SDE" : sampler;
  }

  private static String scheduleType(SchedulerConfig config) {
    if (on(config, "use_karras_sigmas")) {
      return "Karras";
    }
    if (on(config, "use_exponential_sigmas")) {
      return "Exponential";
    }
    if (on(config, "use_beta_sigmas")) {
      return "Beta";
    }
    return "Automatic";
  }

  private static boolean on(SchedulerConfig config, String key) {
    return Boolean.TRUE.equals(config.get(key));
  }

  /** {@code 5} and {@code 6.5}. */
  private static String number(double value) {
    return value == (long) value ? Long.toString((long) value) : Double.toString(value);
  }

  private static String quoted(String value) {
    return value.contains(",") || value.contains(":") || value.contains("\n")
        ? JsonWriter.compact(value)
        : value;
  }
}
