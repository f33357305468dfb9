package io.github.kolors4j.batch;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Takes out of a row's arguments those that name files, and those that go with them. For one
 * thread.
 *
 * <p>ControlNets and IP-Adapters are one or, in a JSON list, several; what goes with them is a list
 * of as many then, of numbers also one for all. Empty text names nothing, so that a row can do
 * without what the defaults name.
 */
final class FileArguments {
  private static final String IMAGE = "image";
  private static final String STRENGTH = "strength";
  private static final String DENOISING_START = "denoising_start";
  private static final String MASK = "mask_image";
  private static final String MASK_BLUR = "mask_blur";
  private static final String PADDING = "padding_mask_crop";
  private static final String MAP = "map";
  private static final String CONTROLNET = "controlnet";
  private static final String CONTROL_IMAGE = "control_image";
  private static final String CONTROL_SCALE = "controlnet_conditioning_scale";
  private static final String CONTROL_START = "control_guidance_start";
  private static final String CONTROL_END = "control_guidance_end";
  private static final String GUESS_MODE = "guess_mode";
  private static final String CANNY = "canny";
  private static final String IP_ADAPTER = "ip_adapter";
  private static final String IP_IMAGE = "ip_adapter_image";
  private static final String IP_SCALE = "ip_adapter_scale";
  private static final String IP_MASKS = "ip_adapter_masks";
  private static final String IMAGE_ENCODER = "image_encoder_folder";

  /** Arguments that are names of files, one or a list. */
  static final Set<String> FILES =
      Set.of(MASK, MAP, CONTROLNET, CONTROL_IMAGE, IP_ADAPTER, IP_IMAGE, IP_MASKS, IMAGE_ENCODER);

  /** Arguments of rows that a request's JSON has in another place, or not at all. */
  static final List<String> OF_ROWS =
      List.of(
          MASK_BLUR,
          CONTROL_IMAGE,
          CONTROL_SCALE,
          CONTROL_START,
          CONTROL_END,
          GUESS_MODE,
          CANNY,
          IP_IMAGE,
          IP_SCALE,
          IP_MASKS,
          IMAGE_ENCODER);

  private final RequestFiles files;
  private final RecentlyUsed<Path, ControlNet> nets = new RecentlyUsed<>(ControlNet::of);
  private final RecentlyUsed<AdapterFiles, IpAdapter> adapters =
      new RecentlyUsed<>(AdapterFiles::adapter);

  /** Where an IP-Adapter is, and its image encoder where the row says. */
  private record AdapterFiles(Path path, Optional<Path> imageEncoder) {
    private IpAdapter adapter() throws IOException {
      return imageEncoder.isPresent() ? IpAdapter.of(path, imageEncoder.get()) : IpAdapter.of(path);
    }
  }

  FileArguments(RequestFiles files) {
    this.files = files;
  }

  /**
   * Takes them out.
   *
   * @param arguments lose them
   * @return what they name; the files are hashed
   * @throws IllegalArgumentException if one is no name, or lacks what goes with it
   * @throws IOException if a file cannot be read
   */
  List<FileArgument> take(Map<String, @Nullable Object> arguments) throws IOException {
    List<FileArgument> taken = new ArrayList<>();
    begin(arguments).ifPresent(taken::add);
    taken.addAll(controlNets(arguments));
    imagePrompts(arguments).ifPresent(taken::add);
    return taken;
  }

  /** The picture to begin with, and its mask. */
  private Optional<BeginFiles> begin(Map<String, @Nullable Object> arguments) throws IOException {
    Optional<String> image = name(IMAGE, arguments.remove(IMAGE));
    @Nullable Object strength = arguments.remove(STRENGTH);
    @Nullable Object start = arguments.remove(DENOISING_START);
    Optional<String> mask = name(MASK, arguments.remove(MASK));
    Optional<String> map = name(MAP, arguments.remove(MAP));
    OptionalDouble blur = number(MASK_BLUR, arguments.remove(MASK_BLUR));
    if (mask.isPresent() && map.isPresent()) {
      throw new IllegalArgumentException(
          "[batch] both mask_image and map: a picture is inpainted, or redrawn by a map, name one of them.");
    }
    if (blur.isPresent() && mask.isEmpty()) {
      throw new IllegalArgumentException(
          "[batch] mask_blur without mask_image: it softens the border of the mask, name the mask too.");
    }
    if (image.isEmpty()) {
      if (mask.or(() -> map).isPresent()) {
        throw new IllegalArgumentException(
            "[batch] %s without image: it says where the image is redrawn, name the image too."
                .formatted(mask.isPresent() ? MASK : MAP));
      }
      return Optional.empty();
    }
    Optional<BeginFiles.MaskFile> where = Optional.empty();
    if (map.isPresent()) {
      where =
          Optional.of(
              new BeginFiles.MaskFile(
                  RowPicture.of(files, map.get()), 0, OptionalInt.empty(), true));
    } else if (mask.isPresent()) {
      where =
          Optional.of(
              new BeginFiles.MaskFile(
                  RowPicture.of(files, mask.get()),
                  blur.orElse(0),
                  pixels(arguments.remove(PADDING)),
                  false));
    }
    return Optional.of(
        new BeginFiles(
            RowPicture.of(files, image.get()),
            number(STRENGTH, strength),
            number(DENOISING_START, start),
            where));
  }

  private List<ControlNetFiles> controlNets(Map<String, @Nullable Object> arguments)
      throws IOException {
    if (isNone(arguments.get(CONTROLNET))) {
      removeAll(arguments, CONTROLNET, CONTROL_IMAGE);
    }
    if (isJsonOfRequest(arguments.get(CONTROLNET))) {
      removeAll(
          arguments, CONTROL_IMAGE, CONTROL_SCALE, CONTROL_START, CONTROL_END, GUESS_MODE, CANNY);
      return List.of();
    }
    List<String> folders = names(CONTROLNET, arguments.remove(CONTROLNET));
    List<String> images = names(CONTROL_IMAGE, arguments.remove(CONTROL_IMAGE));
    @Nullable Object scale = arguments.remove(CONTROL_SCALE);
    @Nullable Object start = arguments.remove(CONTROL_START);
    @Nullable Object end = arguments.remove(CONTROL_END);
    @Nullable Object canny = arguments.remove(CANNY);
    boolean guessMode = flag(GUESS_MODE, arguments.remove(GUESS_MODE));
    if (folders.size() != images.size()) {
      throw new IllegalArgumentException(
          "[batch] controlnet names %s and control_image %s: each ControlNet follows one picture, name as many."
              .formatted(folders.size(), images.size()));
    }
    List<ControlNetFiles> taken = new ArrayList<>();
    int count = folders.size();
    for (int i = 0; i < count; i++) {
      taken.add(
          new ControlNetFiles(
              nets.get(files.controlNet(folders.get(i))),
              RowPicture.of(files, images.get(i)),
              numberOf(CONTROL_SCALE, scale, i, count).orElse(ControlNetInput.DEFAULT_SCALE),
              numberOf(CONTROL_START, start, i, count).orElse(0),
              numberOf(CONTROL_END, end, i, count).orElse(1),
              guessMode,
              flag(CANNY, oneOf(CANNY, canny, i, count))));
    }
    return taken;
  }

  private Optional<ImagePromptFiles> imagePrompts(Map<String, @Nullable Object> arguments)
      throws IOException {
    if (isNone(arguments.get(IP_ADAPTER))) {
      removeAll(arguments, IP_ADAPTER, IP_IMAGE);
    }
    if (isJsonOfRequest(arguments.get(IP_ADAPTER))) {
      removeAll(arguments, IP_IMAGE, IP_SCALE, IP_MASKS, IMAGE_ENCODER);
      return Optional.empty();
    }
    List<String> names = names(IP_ADAPTER, arguments.remove(IP_ADAPTER));
    int count = names.size();
    @Nullable Object image = arguments.remove(IP_IMAGE);
    if (count == 0 && image != null && !isNone(image)) {
      throw new IllegalArgumentException(
          "[batch] ip_adapter_image without ip_adapter: name the adapter that looks at it.");
    }
    List<List<String>> images = groups(IP_IMAGE, image, count);
    List<List<String>> masks = groups(IP_MASKS, arguments.remove(IP_MASKS), count);
    @Nullable Object scale = arguments.remove(IP_SCALE);
    List<List<String>> encoders = groups(IMAGE_ENCODER, arguments.remove(IMAGE_ENCODER), count);
    if (names.isEmpty()) {
      return Optional.empty();
    }
    List<ImagePromptFiles.Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (images.get(i).isEmpty()) {
        throw new IllegalArgumentException(
            "[batch] ip_adapter %s without ip_adapter_image: name the images that it looks at."
                .formatted(names.get(i)));
      }
      IpAdapter adapter = adapter(names.get(i), encoders.get(i).stream().findFirst());
      prompts.add(
          new ImagePromptFiles.Prompt(
              adapter,
              RowPicture.of(files, images.get(i)),
              RowPicture.of(files, masks.get(i)),
              scaleOf(scale, i, count)));
    }
    return Optional.of(new ImagePromptFiles(prompts));
  }

  private IpAdapter adapter(String name, Optional<String> encoder) throws IOException {
    IpAdapter adapter =
        adapters.get(new AdapterFiles(files.ipAdapter(name), encoder.map(files::adapter)));
    if (adapter.kind() == IpAdapter.Kind.FACE_ID_PLUS) {
      throw new IllegalArgumentException(
          "[batch] ip_adapter %s is for faces, and a row cannot name a face's embedding: make its picture by a request of its own."
              .formatted(name));
    }
    return adapter;
  }

  /** Whether it is what a request's own JSON has: an object, or a list of such. */
  private static boolean isJsonOfRequest(@Nullable Object value) {
    return value instanceof Map
        || (value instanceof List<?> list
            && !list.isEmpty()
            && list.stream().allMatch(Map.class::isInstance));
  }

  /** Whether a row says that it does without what the defaults name. */
  private static boolean isNone(@Nullable Object value) {
    return Objects.equals(value, "");
  }

  private static void removeAll(Map<String, @Nullable Object> arguments, String... names) {
    List.of(names).forEach(arguments::remove);
  }

  /** A name of a file; none where there is no value, or an empty one. */
  private static Optional<String> name(String argument, @Nullable Object value) {
    List<String> names = names(argument, value);
    if (names.size() > 1) {
      throw fault(argument, value, "the name of one file");
    }
    return names.stream().findFirst();
  }

  private static List<String> names(String argument, @Nullable Object value) {
    List<?> all =
        value == null || value.equals("")
            ? List.of()
            : value instanceof List<?> list ? list : List.of(value);
    List<String> names = new ArrayList<>();
    for (Object each : all) {
      if (!(each instanceof String name) || name.isEmpty()) {
        throw fault(argument, value, "the name of a file, relative to the table's folder");
      }
      names.add(name);
    }
    return names;
  }

  /** The names that belong to each of the adapters: of one alone, all of them. */
  private static List<List<String>> groups(String argument, @Nullable Object value, int count) {
    if (count == 0) {
      return List.of();
    }
    if (count == 1) {
      List<?> inner =
          value instanceof List<?> list && list.size() == 1 && list.getFirst() instanceof List<?> in
              ? in
              : List.of();
      return List.of(names(argument, inner.isEmpty() ? value : inner));
    }
    List<?> all = value == null || value.equals("") ? List.of() : listOf(argument, value, count);
    List<List<String>> groups = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      groups.add(all.isEmpty() ? List.of() : names(argument, all.get(i)));
    }
    return groups;
  }

  private static List<?> listOf(String argument, Object value, int count) {
    if (!(value instanceof List<?> list) || list.size() != count) {
      throw fault(argument, value, "a list of %s, one for each that is named".formatted(count));
    }
    return list;
  }

  private static OptionalDouble numberOf(
      String argument, @Nullable Object value, int index, int count) {
    return number(argument, oneOf(argument, value, index, count));
  }

  /** What belongs to one of several: its entry of a list, or what is for all. */
  private static @Nullable Object oneOf(
      String argument, @Nullable Object value, int index, int count) {
    return value instanceof List ? listOf(argument, value, count).get(index) : value;
  }

  private static String scaleOf(@Nullable Object value, int index, int count) {
    @Nullable Object scale = oneOf(IP_SCALE, value, index, count);
    if (scale == null) {
      return "1.0";
    }
    if (scale instanceof Number number) {
      return Double.toString(number.doubleValue());
    }
    if (scale instanceof String text) {
      return text.indexOf('=') < 0 ? digits(text) : text;
    }
    throw fault(IP_SCALE, value, "a number, or style=0.5, or style+layout=0.5");
  }

  /** A number that was written as text, as its equals are. */
  private static String digits(String text) {
    try {
      return Double.toString(Double.parseDouble(text));
    } catch (NumberFormatException _) {
      return text;
    }
  }

  private static boolean flag(String argument, @Nullable Object value) {
    if (value == null || value instanceof Boolean) {
      return Objects.equals(value, true);
    }
    throw fault(argument, value, "true or false");
  }

  private static OptionalDouble number(String argument, @Nullable Object value) {
    if (value == null) {
      return OptionalDouble.empty();
    }
    if (!(value instanceof Number number)) {
      throw fault(argument, value, "a number");
    }
    return OptionalDouble.of(number.doubleValue());
  }

  private static OptionalInt pixels(@Nullable Object value) {
    OptionalDouble number = number(PADDING, value);
    if (number.isEmpty()) {
      return OptionalInt.empty();
    }
    int pixels = (int) number.getAsDouble();
    if (pixels != number.getAsDouble()) {
      throw fault(PADDING, value, "a whole number of pixels");
    }
    return OptionalInt.of(pixels);
  }

  private static IllegalArgumentException fault(
      String argument, @Nullable Object value, String needed) {
    return new IllegalArgumentException(
        "[batch] %s is %s: use %s.".formatted(argument, JsonWriter.abbreviated(value), needed));
  }
}
