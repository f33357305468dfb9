package io.github.kolors4j.cli;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.tensor.FloatArray;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Images that the picture is to be like; those of one adapter stand behind its name. */
final class ImagePromptOptions {
  private static final String STYLE = "style=";
  private static final String STYLE_AND_LAYOUT = "style+layout=";
  private static final String FACE = "face_embedding";

  @ArgGroup(exclusive = false, multiplicity = "0..*")
  private List<Adapter> adapters = new ArrayList<>();

  /** One adapter with what belongs to it. */
  static final class Adapter {
    @Option(
        names = "--ip-adapter",
        paramLabel = "DIR|FILE",
        required = true,
        description =
            "An IP-Adapter-Plus, or a FaceID-Plus, for the images that follow. Repeatable, each"
                + " with its own options behind it: what they add, adds up.")
    private Path adapter;

    @Option(
        names = "--ip-adapter-image",
        paramLabel = "FILE",
        split = ",",
        description =
            "The images that the picture is to be like; for a face, the square around it.")
    private List<Path> images = new ArrayList<>();

    @Option(
        names = "--ip-adapter-scale",
        paramLabel = "X",
        description =
            "How much they count; or style=X, or style+layout=X, for these alone. Default: 1.")
    private String scale = "1";

    @Option(
        names = "--ip-adapter-mask",
        paramLabel = "FILE",
        split = ",",
        description = "Where in the picture each image counts: white where it does.")
    private List<Path> masks = new ArrayList<>();

    @Option(
        names = "--ip-adapter-face",
        paramLabel = "FILE",
        description =
            "A face's embedding: safetensors with face_embedding [512] in F32, as InsightFace gives"
                + " it, not normalized.")
    private Path face;

    @Option(
        names = "--image-encoder",
        paramLabel = "DIR",
        description = "The adapter's image encoder. Default: the folder image_encoder beside it.")
    private Path imageEncoder;
  }

  /** Reads the files. */
  void apply(ImageRequest.Builder request) throws IOException {
    List<ImagePrompt> prompts = new ArrayList<>();
    for (Adapter each : adapters) {
      prompts.add(prompt(each));
    }
    request.imagePrompts(prompts);
  }

  private static ImagePrompt prompt(Adapter each) throws IOException {
    if (each.images.isEmpty()) {
      throw new UsageException(
          "[arguments] --ip-adapter %s without an image: give --ip-adapter-image behind it."
              .formatted(each.adapter));
    }
    IpAdapter adapter =
        each.imageEncoder == null
            ? IpAdapter.of(each.adapter)
            : IpAdapter.of(each.adapter, each.imageEncoder);
    Optional<FloatArray> face = each.face == null ? Optional.empty() : Optional.of(face(each.face));
    ImagePrompt plain =
        new ImagePrompt(
            adapter, read(each.images), Optional.empty(), face, 1, Map.of(), read(each.masks));
    return scaled(plain, each.scale);
  }

  private static ImagePrompt scaled(ImagePrompt prompt, String scale) {
    if (scale.startsWith(STYLE_AND_LAYOUT)) {
      return prompt.styleAndLayoutAt(number(scale, scale.substring(STYLE_AND_LAYOUT.length())));
    }
    return scale.startsWith(STYLE)
        ? prompt.styleAt(number(scale, scale.substring(STYLE.length())))
        : prompt.at(number(scale, scale));
  }

  private static double number(String scale, String digits) {
    try {
      return Double.parseDouble(digits);
    } catch (NumberFormatException e) {
      throw new UsageException(
          "[arguments] --ip-adapter-scale %s: use a number, as 0.5, or style=0.5, or style+layout=0.5."
              .formatted(scale));
    }
  }

  private static List<KolorsImage> read(List<Path> files) throws IOException {
    List<KolorsImage> images = new ArrayList<>();
    for (Path file : files) {
      images.add(KolorsImage.read(file));
    }
    return images;
  }

  private static FloatArray face(Path path) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      return new F32Tensors("face", path, file).get(FACE);
    }
  }
}
