package io.github.kolors4j.server;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Mask;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads what clients ask for: OpenAI's fields, and diffusers' beside them. */
final class ImageCalls {
  /** OpenAI's fields that change nothing here. */
  private static final String[] WITHOUT_EFFECT = {
    "model", "quality", "style", "moderation", "user", "input_fidelity", "output_compression"
  };

  private static final Pattern SIZE = Pattern.compile("(\\d{1,6})[xX](\\d{1,6})");
  private static final Pattern DATA_URL =
      Pattern.compile("data:[\\w.+-]+/[\\w.+-]+;base64,", Pattern.CASE_INSENSITIVE);
  private static final int MOST_PARTIAL_IMAGES = 3;

  private final KolorsPipeline pipeline;
  private final Limits limits;

  /** One picture of a stranger is decoded at a time: each may take a hundred megabytes. */
  private final ReentrantLock lock = new ReentrantLock();

  ImageCalls(KolorsPipeline pipeline, Limits limits) {
    this.pipeline = pipeline;
    this.limits = limits;
  }

  /**
   * What the fields of an Images API or of a job say.
   *
   * @param fields are used up
   * @param edit whether there must be a picture to begin with
   */
  ImageCall read(Fields fields, boolean edit) {
    Set<String> sent = fields.names();
    try {
      return read(fields, edit, sent);
    } catch (IllegalArgumentException e) {
      throw ApiException.refused(e, sent);
    }
  }

  private ImageCall read(Fields fields, boolean edit, Set<String> sent) {
    fields.ignore(WITHOUT_EFFECT);
    ImageRequest.Builder request =
        ImageRequest.builder(
            fields
                .text("prompt")
                .orElseThrow(() -> ApiException.field("prompt", "[request] no prompt.")));
    fields.text("negative_prompt").ifPresent(request::negativePrompt);
    Optional<KolorsImage> image =
        picture(fields, "image", "images").map(bytes -> decode("image", bytes));
    if (edit && image.isEmpty()) {
      throw ApiException.field("image", "[request] no image to begin with.");
    }
    image.ifPresent(request::image);
    mask(fields, image).ifPresent(request::mask);
    Size size = size(fields, image);
    request.size(size.width, size.height);
    checkSize(size);
    request.numImagesPerPrompt(images(fields.integer("n", "num_images_per_prompt")));
    request.seeds(fields.seeds("seed"));
    fields
        .integer("num_inference_steps", "steps")
        .ifPresent(steps -> request.numInferenceSteps(steps(steps)));
    fields.number("guidance_scale", "cfg_scale").ifPresent(request::guidanceScale);
    fields.number("guidance_rescale").ifPresent(request::guidanceRescale);
    fields.number("pag_scale").ifPresent(request::pagScale);
    fields.number("pag_adaptive_scale").ifPresent(request::pagAdaptiveScale);
    fields.number("eta").ifPresent(request::eta);
    fields.number("strength").ifPresent(request::strength);
    fields.integer("max_sequence_length").ifPresent(request::maxSequenceLength);
    Optional<Scheduler> scheduler = scheduler(fields);
    fields.word("background", List.of("auto", "opaque"));
    boolean asUrl =
        fields.word("response_format", List.of("b64_json", "url")).orElse("").equals("url");
    ImageFormat format =
        fields.word("output_format", List.of("png", "jpeg")).orElse("png").equals("png")
            ? ImageFormat.PNG
            : ImageFormat.JPEG;
    boolean stream = fields.flag("stream").orElse(false);
    int partialImages = fields.integer("partial_images").orElse(0);
    if (partialImages < 0 || partialImages > MOST_PARTIAL_IMAGES) {
      throw ApiException.field(
          "partial_images",
          "[request] %s partial images: use 0 to %s."
              .formatted(partialImages, MOST_PARTIAL_IMAGES));
    }
    fields.requireEmpty();
    return new ImageCall(request.build(), scheduler, format, asUrl, stream, partialImages, sent);
  }

  record Size(int width, int height) {}

  private Size size(Fields fields, Optional<KolorsImage> image) {
    OptionalInt width = fields.integer("width");
    OptionalInt height = fields.integer("height");
    Optional<String> both = fields.text("size").filter(size -> !size.equals("auto"));
    if (both.isPresent()) {
      Matcher matcher = SIZE.matcher(both.get());
      if (!matcher.matches()) {
        throw ApiException.field(
            "size",
            "[request] size \"%s\": write WIDTHxHEIGHT, as 1024x1024, or auto."
                .formatted(both.get()));
      }
      if (width.isPresent() || height.isPresent()) {
        throw ApiException.field(
            "size", "[request] both size and width or height: give one of them.");
      }
      width = OptionalInt.of(Integer.parseInt(matcher.group(1)));
      height = OptionalInt.of(Integer.parseInt(matcher.group(2)));
    }
    return new Size(
        side(width, image.map(KolorsImage::width)), side(height, image.map(KolorsImage::height)));
  }

  /** What was asked for, or the picture's, or the model's. */
  private int side(OptionalInt asked, Optional<Integer> ofImage) {
    return asked.orElseGet(
        () -> ofImage.map(this::roundedDown).orElseGet(() -> pipeline.defaultSize()));
  }

  private int roundedDown(int side) {
    return Math.max(multiple(), side - side % multiple());
  }

  /** What width and height are multiples of. */
  int multiple() {
    return Math.max(8, pipeline.vaeScaleFactor());
  }

  /** Refuses pictures that are too large. */
  void checkSize(Size size) {
    if ((long) size.width * size.height > limits.maxPixels()) {
      throw ApiException.field(
          "size",
          String.format(
              Locale.ROOT,
              "[request] %dx%d: this server makes pictures of at most %,d pixels. Use a smaller"
                  + " size.",
              size.width,
              size.height,
              limits.maxPixels()));
    }
  }

  int images(OptionalInt n) {
    int images = n.orElse(1);
    if (images < 1 || images > limits.maxImages()) {
      throw ApiException.field(
          "n",
          "[request] n is %s: this server makes 1 to %s images at once."
              .formatted(images, limits.maxImages()));
    }
    return images;
  }

  int steps(int steps) {
    if (steps < 1 || steps > limits.maxSteps()) {
      throw ApiException.field(
          "num_inference_steps",
          "[request] %s inference steps: this server takes 1 to %s."
              .formatted(steps, limits.maxSteps()));
    }
    return steps;
  }

  private Optional<Scheduler> scheduler(Fields fields) {
    Optional<String> name = fields.text("scheduler");
    Optional<Object> options = fields.any("scheduler_options");
    if (options.isPresent() && !(options.get() instanceof Map)) {
      throw ApiException.field(
          "scheduler_options", "[request] scheduler_options is no object: use {\"key\": value}.");
    }
    if (name.isEmpty() && options.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          scheduler(
              name.orElse(pipeline.scheduler().className()), (Map<?, ?>) options.orElse(Map.of())));
    } catch (IllegalArgumentException e) {
      throw ApiException.field("scheduler", String.valueOf(e.getMessage()));
    }
  }

  /** A scheduler in the place of the checkpoint's. */
  Scheduler scheduler(String name, Map<?, ?> options) {
    return Schedulers.chosen(pipeline.scheduler(), name, options);
  }

  /** The bytes of a picture: a file of a form, or in JSON a data URL. */
  private static Optional<byte[]> picture(Fields fields, String name, String... others) {
    Optional<Object> given =
        fields.any(Stream.concat(Stream.of(name), Arrays.stream(others)).toArray(String[]::new));
    if (given.isEmpty()) {
      return Optional.empty();
    }
    Object value = given.get();
    if (value instanceof List<?> several) {
      if (several.size() != 1) {
        throw ApiException.field(
            name,
            "[request] %s pictures as %s: this server takes one.".formatted(several.size(), name));
      }
      value = several.getFirst();
    }
    if (value instanceof Map<?, ?> reference) {
      value = reference.get("image_url");
      if (value instanceof Map<?, ?> nested) {
        value = nested.get("url");
      }
    }
    return Optional.of(
        switch (value) {
          case byte[] bytes -> bytes;
          case String text -> base64(name, text);
          case null, default ->
              throw ApiException.field(
                  name,
                  "[request] %s is neither a file nor a data URL. Files by id are not kept here."
                      .formatted(name));
        });
  }

  /**
   * What is painted anew: of OpenAI's mask what is transparent, and the rest keeps its very pixels;
   * of diffusers' what is white.
   */
  private Optional<Mask> mask(Fields fields, Optional<KolorsImage> image) {
    Optional<byte[]> transparent = picture(fields, "mask");
    Optional<byte[]> white = picture(fields, "mask_image");
    OptionalInt padding = fields.integer("padding_mask_crop");
    if (transparent.isPresent() && white.isPresent()) {
      throw ApiException.field(
          "mask", "[request] both mask and mask_image: they say one thing, give one of them.");
    }
    if (transparent.isEmpty() && white.isEmpty()) {
      if (padding.isPresent()) {
        throw ApiException.field(
            "padding_mask_crop",
            "[request] padding_mask_crop without a mask: it is a margin around it, send the mask"
                + " too.");
      }
      return Optional.empty();
    }
    String name = transparent.isPresent() ? "mask" : "mask_image";
    if (image.isEmpty()) {
      throw ApiException.field(
          name,
          "[request] %s without an image: it says where the image is painted anew, send both."
              .formatted(name));
    }
    KolorsImage marked =
        transparent.map(this::transparent).orElseGet(() -> decode(name, white.orElseThrow()));
    if (transparent.isPresent() || padding.isPresent()) {
      checkSizes(name, marked, image.get());
      checkSize(new Size(marked.width(), marked.height())); // the result has it
    }
    if (padding.isPresent()) {
      return Optional.of(Mask.cropped(marked, padding.getAsInt()));
    }
    return Optional.of(transparent.isPresent() ? Mask.overlaid(marked) : Mask.of(marked));
  }

  private static void checkSizes(String name, KolorsImage mask, KolorsImage image) {
    if (mask.width() != image.width() || mask.height() != image.height()) {
      throw ApiException.field(
          name,
          "[request] %s is %sx%s pixels and the image %sx%s: they must be of one size."
              .formatted(name, mask.width(), mask.height(), image.width(), image.height()));
    }
  }

  private KolorsImage transparent(byte[] bytes) {
    Optional<KolorsImage> transparency = transparency("mask", bytes);
    if (transparency.isPresent()) {
      return transparency.get();
    }
    decode("mask", bytes); // which says so where it is no picture at all
    throw ApiException.field(
        "mask",
        "[request] mask has no transparent pixels, and these are painted anew: send a PNG with"
            + " some, or as mask_image a picture that is white there.");
  }

  /** The bytes of a data URL, or of Base64 alone. Addresses of elsewhere are not looked up. */
  static byte[] base64(String field, String text) {
    Matcher prefix = DATA_URL.matcher(text);
    if (!prefix.lookingAt() && text.regionMatches(true, 0, "http", 0, 4)) {
      throw ApiException.field(
          field,
          "[request] %s is an address: this server fetches none. Send the picture as"
                  .formatted(field)
              + " data:image/png;base64,...");
    }
    try {
      String digits = prefix.lookingAt() ? text.substring(prefix.end()) : text;
      return Base64.getMimeDecoder().decode(digits);
    } catch (IllegalArgumentException e) {
      throw ApiException.field(
          field, "[request] %s is not Base64: send data:image/png;base64,...".formatted(field));
    }
  }

  /** A picture of a stranger. */
  KolorsImage decode(String field, byte[] bytes) {
    return decoding(field, () -> KolorsImage.read(bytes, field, pictureLimits()));
  }

  /** How transparent a PNG is; empty for one that is not, and for other pictures. */
  Optional<KolorsImage> transparency(String field, byte[] bytes) {
    return decoding(field, () -> KolorsImage.readTransparency(bytes, field, pictureLimits()));
  }

  private PictureLimits pictureLimits() {
    return PictureLimits.DEFAULT.withMaxPixels(limits.maxInputPixels());
  }

  private interface Decoding<T> {
    T decode() throws InvalidPictureException;
  }

  /** One at a time. */
  private <T> T decoding(String field, Decoding<T> decoding) {
    lock.lock();
    try {
      return decoding.decode();
    } catch (InvalidPictureException e) {
      throw ApiException.field(field, String.valueOf(e.getMessage()));
    } finally {
      lock.unlock();
    }
  }

  /** The names that a client may say, in small letters. */
  static List<String> schedulerNames() {
    return Schedulers.all().stream().map(type -> type.className()).toList();
  }
}
