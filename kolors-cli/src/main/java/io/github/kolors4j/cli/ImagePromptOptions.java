package io.github.kolors4j.cli;

import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.tensor.FloatArray;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Images that the picture is to be like; those of one adapter stand behind its name. */
final class ImagePromptOptions {
  private static final String FACE = "face_embedding";
  private static final String IMAGE = "--ip-adapter-image";
  private static final String MASK = "--ip-adapter-mask";
  private static final String SCALE = "--ip-adapter-scale";

  @ArgGroup(exclusive = false, multiplicity = "0..*", validate = false)
  private List<Adapter> adapters = new ArrayList<>();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** One adapter with what belongs to it. */
  static final class Adapter {
    @Option(
        names = "--ip-adapter",
        paramLabel = "DIR|FILE|REPO|mini",
        description =
            "An IP-Adapter-Plus, or a FaceID-Plus, for the images that follow; mini is the mini"
                + " checkpoint's own. Repeatable, each with its own options behind it: what they"
                + " add, adds up.")
    private String adapter;

    /** The folder or the file, once it was found. */
    private @Nullable Path path;

    @Option(
        names = IMAGE,
        paramLabel = "FILE[,FILE...]",
        description =
            "The images that the picture is to be like; for a face, the square around it.")
    private List<String> images = new ArrayList<>();

    @Option(
        names = SCALE,
        paramLabel = "X",
        description =
            "How much they count; or style=X, or style+layout=X, for these alone. Default: 1.")
    private @Nullable String scale;

    @Option(
        names = MASK,
        paramLabel = "FILE[,FILE...]",
        description = "Where in the picture each image counts: white where it does.")
    private List<String> masks = new ArrayList<>();

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

    private OptionGroups.Group group() {
      Map<String, @Nullable Object> given = new LinkedHashMap<>();
      given.put(IMAGE, images.isEmpty() ? null : images);
      given.put(SCALE, scale);
      given.put(MASK, masks.isEmpty() ? null : masks);
      given.put("--ip-adapter-face", face);
      given.put("--image-encoder", imageEncoder);
      return new OptionGroups.Group(adapter, given);
    }

    private List<Path> images() {
      return OptionPicture.files(IMAGE, images);
    }

    private List<Path> masks() {
      return OptionPicture.files(MASK, masks);
    }

    private String scale() {
      return scale == null ? "1" : scale;
    }
  }

  /** Refuses options of an adapter that is not named. */
  private void checkNames() {
    OptionGroups.checkNames(
        command, "--ip-adapter", adapters.stream().map(Adapter::group).toList());
  }

  /** Reads the files. */
  void apply(ImageRequest.Builder request, Repositories repositories) throws IOException {
    checkNames();
    List<ImagePrompt> prompts = new ArrayList<>();
    for (Adapter each : adapters) {
      prompts.add(prompt(each, repositories));
    }
    request.imagePrompts(prompts);
  }

  /** How much they count, where that is said by a number. */
  List<Scale> scales() {
    List<Scale> scales = new ArrayList<>();
    for (Adapter each : adapters) {
      String given = each.scale();
      try {
        double value = Double.parseDouble(given.substring(given.indexOf('=') + 1));
        scales.add(new Scale(SCALE + " " + given, value));
      } catch (NumberFormatException _) {
        // It is refused with the rest of the prompt.
      }
    }
    return scales;
  }

  /** Whether a face is among them, which a table cannot name. */
  boolean haveFaces() {
    return adapters.stream().anyMatch(each -> each.face != null);
  }

  /** Looks at the files, of which a table's rows may name the images. */
  void check(Repositories repositories) throws IOException {
    checkNames();
    for (Adapter each : adapters) {
      if (each.images.isEmpty()) {
        adapter(each, repositories);
      } else {
        prompt(each, repositories);
      }
    }
  }

  /** As a table names them, when they were checked for one. */
  Map<String, Object> columns() {
    Map<String, Object> columns = new LinkedHashMap<>();
    if (!adapters.isEmpty()) {
      put(columns, "ip_adapter", each -> absolute(Objects.requireNonNull(each.path)));
      if (adapters.stream().anyMatch(each -> !each.images.isEmpty())) {
        put(columns, "ip_adapter_image", each -> absolute(each.images()));
      }
      if (adapters.stream().anyMatch(each -> !each.masks.isEmpty())) {
        put(columns, "ip_adapter_masks", each -> absolute(each.masks()));
      }
      put(columns, "ip_adapter_scale", Adapter::scale);
      if (adapters.stream().anyMatch(each -> each.imageEncoder != null)) {
        put(
            columns,
            "image_encoder_folder",
            each -> each.imageEncoder == null ? "" : absolute(each.imageEncoder));
      }
    }
    return columns;
  }

  private void put(Map<String, Object> columns, String name, Function<Adapter, Object> value) {
    List<Object> values = adapters.stream().map(value).toList();
    columns.put(name, values.size() == 1 ? values.getFirst() : values);
  }

  private static String absolute(Path file) {
    return file.toAbsolutePath().toString();
  }

  private static List<String> absolute(List<Path> files) {
    return files.stream().map(ImagePromptOptions::absolute).toList();
  }

  private static IpAdapter adapter(Adapter each, Repositories repositories) throws IOException {
    Path path = NamedModel.IP_ADAPTER.find("--ip-adapter", each.adapter, repositories);
    each.path = path;
    return each.imageEncoder == null ? IpAdapter.of(path) : IpAdapter.of(path, each.imageEncoder);
  }

  private static ImagePrompt prompt(Adapter each, Repositories repositories) throws IOException {
    if (each.images.isEmpty()) {
      throw new UsageException(
          "[arguments] --ip-adapter %s without an image: give --ip-adapter-image behind it."
              .formatted(each.adapter));
    }
    IpAdapter adapter = adapter(each, repositories);
    Optional<FloatArray> face = each.face == null ? Optional.empty() : Optional.of(face(each.face));
    ImagePrompt plain =
        new ImagePrompt(
            adapter,
            OptionPicture.read(IMAGE, each.images()),
            Optional.empty(),
            face,
            1,
            Map.of(),
            OptionPicture.read(MASK, each.masks()));
    return UsageException.check(() -> plain.at(each.scale()));
  }

  private static FloatArray face(Path path) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      return new F32Tensors("face", path, file).get(FACE);
    }
  }
}
