package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.request.ImageRequest;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Option;

/** How strongly the prompt and the picture's own structure rule. */
final class GuidanceOptions {
  @Option(
      names = "--guidance-scale",
      paramLabel = "X",
      defaultValue = "5.0",
      converter = Numbers.Decimal.class,
      description =
          "How strongly the prompt rules; at most 1 means no guidance, in half the time. Default:"
              + " ${DEFAULT-VALUE}.")
  private double guidanceScale;

  @Option(
      names = "--guidance-rescale",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "How far the contrast that guidance adds is taken back, 0 to 1. Default: 0, not at all.")
  private Double guidanceRescale;

  @Option(
      names = "--pag-scale",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "Perturbed-attention guidance: how strongly, as 3.0. Default: 0, none. It takes half as"
              + " much time again.")
  private Double pagScale;

  @Option(
      names = "--pag-adaptive-scale",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description = "By how much --pag-scale falls for each timestep below 1000. Default: 0.")
  private Double pagAdaptiveScale;

  @Option(
      names = "--pag-applied-layers",
      paramLabel = "L[,L...]",
      description =
          "Which self-attentions are perturbed: parts of their names, as mid, down_blocks.2 or"
              + " up_blocks.0.attentions.1. Default: mid.")
  private String pagAppliedLayers;

  /** Refuses what has nothing to act on. */
  void check() {
    if (pagScale == null && pagAdaptiveScale != null) {
      throw withoutPag("--pag-adaptive-scale");
    }
    if (pagScale == null && pagAppliedLayers != null) {
      throw withoutPag("--pag-applied-layers");
    }
    layers();
  }

  /** Why the negative prompt is not looked at; empty where it is. */
  String withoutNegativePrompt() {
    return guidanceScale > 1
        ? ""
        : "--guidance-scale %s is no guidance, only more than 1 is".formatted(guidanceScale);
  }

  private static UsageException withoutPag(String option) {
    return new UsageException(
        "[arguments] %s without --pag-scale: there is no perturbed-attention guidance then, add"
                .formatted(option)
            + " --pag-scale 3.0.");
  }

  void apply(ImageRequest.Builder request) {
    request.guidanceScale(guidanceScale);
    given(guidanceRescale, request::guidanceRescale);
    given(pagScale, request::pagScale);
    given(pagAdaptiveScale, request::pagAdaptiveScale);
    if (!layers().isEmpty()) {
      request.pagAppliedLayers(layers());
    }
  }

  private List<String> layers() {
    if (pagAppliedLayers == null) {
      return List.of();
    }
    List<String> layers =
        Arrays.stream(pagAppliedLayers.split(",", -1)).map(String::strip).toList();
    if (layers.contains("")) {
      throw new UsageException(
          "[arguments] --pag-applied-layers \"%s\" names an empty layer: write mid, or mid,up_blocks.1."
              .formatted(pagAppliedLayers));
    }
    return layers;
  }
}
