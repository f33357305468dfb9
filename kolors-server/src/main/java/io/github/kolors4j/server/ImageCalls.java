package io.github.kolors4j.server;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.json.JsonNumber;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

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
  private final ReentrantLock decoding = new ReentrantLock();

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
    fields.ignore(WITHOUT_EFFECT);
    ImageRequest.Builder request =
        ImageRequest.builder(
            fields
                .text("prompt")
                .orElseThrow(() -> ApiException.field("prompt", "[request] no prompt.")));
    fields.text("negative_prompt").ifPresent(request::negativePrompt);
    Optional<KolorsImage> image = image(fields);
    if (edit && image.isEmpty()) {
      throw ApiException.field("image", "[request] no image to begin with.");
    }
    image.ifPresent(request::image);
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
    return new ImageCall(request.build(), scheduler, format, asUrl, stream, partialImages);
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
    Map<Object, @Nullable Object> plain = new LinkedHashMap<>();
    options.forEach((key, value) -> plain.put(key, plain(value)));
    return Schedulers.chosen(pipeline.scheduler(), name, plain);
  }

  private static @Nullable Object plain(@Nullable Object value) {
    return switch (value) {
      case JsonNumber number when number.isInteger() -> number.longValue();
      case JsonNumber number -> number.doubleValue();
      case List<?> list -> list.stream().map(ImageCalls::plain).toList();
      case null -> null;
      default -> value;
    };
  }

  /** The picture to begin with: a file of a form, or in JSON a data URL. */
  private Optional<KolorsImage> image(Fields fields) {
    if (fields.any("mask").isPresent()) {
      throw ApiException.field(
          "mask", "[request] mask: this server redraws whole pictures. Leave it out.");
    }
    Optional<Object> given = fields.any("image", "images");
    if (given.isEmpty()) {
      return Optional.empty();
    }
    Object value = given.get();
    if (value instanceof List<?> several) {
      if (several.size() != 1) {
        throw ApiException.field(
            "image",
            "[request] %s images to begin with: this server takes one.".formatted(several.size()));
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
          case byte[] bytes -> decode("image", bytes);
          case String text -> decode("image", base64("image", text));
          case null, default ->
              throw ApiException.field(
                  "image",
                  "[request] the image is neither a file nor a data URL. Files by id are not kept"
                      + " here.");
        });
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
    decoding.lock();
    try {
      return KolorsImage.read(
          bytes, field, PictureLimits.DEFAULT.withMaxPixels(limits.maxInputPixels()));
    } catch (InvalidPictureException e) {
      throw ApiException.field(field, String.valueOf(e.getMessage()));
    } finally {
      decoding.unlock();
    }
  }

  /** The names that a client may say, in small letters. */
  static List<String> schedulerNames() {
    return Schedulers.all().stream().map(type -> type.className()).toList();
  }
}
