package io.github.kolors4j.cli;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.Canny;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Pictures that lead through ControlNets, each with the options that follow it. */
final class ControlNetOptions {
  @ArgGroup(exclusive = false, multiplicity = "0..*", validate = false)
  private List<One> all = new ArrayList<>();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** One ControlNet. */
  static final class One {
    @Option(
        names = "--controlnet",
        paramLabel = "DIR|REPO|mini",
        description =
            "Leads the picture by another one, through the ControlNet in this folder, of this"
                + " repository, or the mini checkpoint's own for edges. Repeatable: what they add,"
                + " adds up, and the options of each follow it.")
    private String controlNet;

    @Option(
        names = "--control-image",
        paramLabel = "FILE",
        description =
            "What the ControlNet follows: edges, depth, a pose. It gives the picture its size.")
    private Path image;

    @Option(
        names = "--canny",
        description = "Takes the edges of --control-image, as OpenCV's Canny with 100 and 200.")
    private boolean canny;

    @Option(
        names = "--controlnet-conditioning-scale",
        paramLabel = "X",
        converter = Numbers.Decimal.class,
        description = "How strongly it leads; 0 is as none. Default: 0.8.")
    private Double scale;

    @Option(
        names = "--control-guidance-start",
        paramLabel = "X",
        converter = Numbers.Decimal.class,
        description = "The share of the steps after which it begins. Default: 0.")
    private Double start;

    @Option(
        names = "--control-guidance-end",
        paramLabel = "X",
        converter = Numbers.Decimal.class,
        description = "The share of the steps after which it ends. Default: 1.")
    private Double end;

    @Option(
        names = "--guess-mode",
        description =
            "Leads the prompt's prediction only, and details less: for a picture without a prompt.")
    private boolean guessMode;

    /** The folder, once it was found. */
    private @Nullable Path directory;

    private OptionGroups.Group group() {
      Map<String, @Nullable Object> given = new LinkedHashMap<>();
      given.put("--control-image", image);
      given.put("--controlnet-conditioning-scale", scale);
      given.put("--control-guidance-start", start);
      given.put("--control-guidance-end", end);
      given.put("--canny", canny ? true : null);
      given.put("--guess-mode", guessMode ? true : null);
      return new OptionGroups.Group(controlNet, given);
    }

    private ControlNet controlNet(Repositories repositories) throws IOException {
      Path found = NamedModel.CONTROL_NET.find("--controlnet", controlNet, repositories);
      directory = found;
      return ControlNet.of(found);
    }

    private ControlNetInput input(Repositories repositories) throws IOException {
      ControlNet net = controlNet(repositories);
      KolorsImage read = OptionPicture.read("--control-image", image);
      ControlNetInput plain = ControlNetInput.of(net, canny ? Canny.DEFAULT.edges(read) : read);
      return new ControlNetInput(
          plain.controlNet(),
          plain.image(),
          scale == null ? plain.conditioningScale() : scale,
          start == null ? plain.guidanceStart() : start,
          end == null ? plain.guidanceEnd() : end,
          guessMode);
    }
  }

  /** Refuses options of a ControlNet that is not named, and one without its picture. */
  void check() {
    checkNames();
    for (One one : all) {
      if (one.image == null) {
        throw new UsageException(
            "[arguments] --controlnet %s without --control-image: give the picture that it follows, behind it."
                .formatted(one.controlNet));
      }
    }
  }

  private void checkNames() {
    OptionGroups.checkNames(command, "--controlnet", all.stream().map(One::group).toList());
  }

  /** Looks at the files, of which a table's rows may name the pictures. */
  void checkForTable(Repositories repositories) throws IOException {
    checkNames();
    for (One one : all) {
      if (one.guessMode != all.getFirst().guessMode) {
        throw new UsageException(
            "[arguments] --guess-mode is for all ControlNets of a table: give it behind each, or none.");
      }
      if (one.image == null) {
        one.controlNet(repositories);
      } else {
        one.input(repositories);
      }
    }
    long images = all.stream().filter(one -> one.image != null).count();
    if (images > 0 && images < all.size()) {
      throw new UsageException(
          "[arguments] --control-image for %s of %s ControlNets: give it behind each, or leave all to the rows."
              .formatted(images, all.size()));
    }
  }

  /** As a table names them, when they were checked for one. */
  Map<String, Object> columns() {
    Map<String, Object> columns = new LinkedHashMap<>();
    if (!all.isEmpty()) {
      put(columns, "controlnet", one -> absolute(Objects.requireNonNull(one.directory)));
      if (all.getFirst().image != null) {
        put(columns, "control_image", one -> absolute(one.image));
      }
      put(
          columns,
          "controlnet_conditioning_scale",
          one -> one.scale == null ? ControlNetInput.DEFAULT_SCALE : one.scale);
      put(columns, "control_guidance_start", one -> one.start == null ? 0.0 : one.start);
      put(columns, "control_guidance_end", one -> one.end == null ? 1.0 : one.end);
      if (all.stream().anyMatch(one -> one.canny)) {
        put(columns, "canny", one -> one.canny);
      }
      columns.put("guess_mode", all.getFirst().guessMode);
    }
    return columns;
  }

  private static String absolute(Path file) {
    return file.toAbsolutePath().toString();
  }

  private void put(Map<String, Object> columns, String name, Function<One, Object> value) {
    List<Object> values = all.stream().map(value).toList();
    columns.put(name, values.size() == 1 ? values.getFirst() : values);
  }

  /** How strongly they lead, where that is said. */
  List<Scale> scales() {
    return all.stream()
        .filter(one -> one.scale != null)
        .map(one -> new Scale("--controlnet-conditioning-scale " + one.scale, one.scale))
        .toList();
  }

  /** Reads the pictures, and looks at the ControlNets. */
  void apply(ImageRequest.Builder request, Repositories repositories) throws IOException {
    for (One one : all) {
      request.controlNet(one.input(repositories));
    }
  }
}
