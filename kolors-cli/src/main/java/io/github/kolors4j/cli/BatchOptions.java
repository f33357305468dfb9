package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What rows of a table are made with where they do not say otherwise. */
final class BatchOptions {
  @Option(
      names = "--negative-prompt",
      paramLabel = "T",
      description = "What pictures should not show. Default: empty.")
  private String negativePrompt;

  @Option(
      names = "--max-sequence-length",
      paramLabel = "N",
      description = "Tokens that the model reads of a prompt, 1 to 256. Default: 256.")
  private Integer maxSequenceLength;

  @Mixin private SizeOptions sizes;
  @Mixin private StepOptions steps;
  @Mixin private GuidanceOptions guidance;

  @Mixin private SchedulerOptions schedulers;

  @Option(
      names = "--seed",
      paramLabel = "S",
      converter = Numbers.Seed.class,
      description =
          "Of all rows that have none. Default: drawn of the row's id, the same each time.")
  private Long seed;

  @Mixin private RngOption rng;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "Redraws this picture where a row names none.")
  private Path image;

  @Option(
      names = "--strength",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "How much of a row's image is redrawn, 0 to 1. Default: 0.3, with a mask 0.9999.")
  private Double strength;

  @Option(
      names = "--denoising-start",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description = "Goes on with a row's image after this share of the way.")
  private Double denoisingStart;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description = "Paints anew what is white in this picture, where a row names none.")
  private Path mask;

  @Option(
      names = "--strength-map",
      paramLabel = "FILE",
      description =
          "Redraws a row's image here more and there less, where it names no map: the brighter, the"
              + " longer kept.")
  private Path strengthMap;

  @Mixin private AdapterOptions adapters;
  @Mixin private ImagePromptOptions imagePrompts;
  @Mixin private ControlNetOptions controlNets;

  @Mixin private VaeTilingOption vaeTiling;
  @Mixin private CompatOption compat;

  /** The request that a row without columns makes, but for its prompt and its picture. */
  ImageRequest request(Terminal terminal, Repositories repositories) throws IOException {
    steps.check(terminal);
    guidance.check();
    sizes.check(terminal);
    Scale.warn(terminal, List.of(adapters.scales(), imagePrompts.scales(), controlNets.scales()));
    ImageRequest.Builder request =
        ImageRequest.builder("").negativePrompt(negativePrompt == null ? "" : negativePrompt);
    given(maxSequenceLength, request::maxSequenceLength);
    sizes.apply(request);
    steps.apply(request);
    guidance.apply(request);
    given(seed, request::seed);
    rng.apply(request);
    adapters.apply(request);
    if (imagePrompts.haveFaces()) {
      imagePrompts.apply(request, repositories);
    } else {
      imagePrompts.check(repositories);
    }
    controlNets.checkForTable(repositories);
    vaeTiling.apply(request);
    compat.apply(request);
    return request.build();
  }

  /** By diffusers' names, as JSON has them. */
  Map<String, Object> defaults(ImageRequest request) {
    Map<String, Object> defaults = new LinkedHashMap<>();
    try {
      defaults.putAll(JsonReader.of(request.toJson()).object());
    } catch (JsonException e) {
      throw new IllegalStateException(e); // we wrote it
    }
    defaults.remove("prompt");
    given(image, file -> defaults.put("image", file.toAbsolutePath().toString()));
    given(mask, file -> defaults.put("mask_image", file.toAbsolutePath().toString()));
    given(strengthMap, file -> defaults.put("map", file.toAbsolutePath().toString()));
    if (!imagePrompts.haveFaces()) {
      defaults.putAll(imagePrompts.columns());
    }
    defaults.putAll(controlNets.columns());
    given(strength, share -> defaults.put("strength", share));
    given(denoisingStart, share -> defaults.put("denoising_start", share));
    schedulers.name().ifPresent(name -> defaults.put("scheduler", name));
    Map<String, Object> options = schedulers.options();
    if (!options.isEmpty()) {
      defaults.put("scheduler_options", options);
    }
    return defaults;
  }
}
