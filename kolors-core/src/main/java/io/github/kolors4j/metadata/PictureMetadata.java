package io.github.kolors4j.metadata;

import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureText;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Mask;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a picture was made: all that it takes to make its pixels again, and to know whether they are
 * the same. Nothing in it depends on the hour, on the number of threads or on the pictures that
 * were made beside it, so that the same picture has the same file.
 *
 * {@snippet :
 * ImageResult result = pipeline.generate(request);
 * PictureMetadata metadata = pipeline.metadata(result, 0);
 * result.image().save(Path.of("a.png"), ImageFormat.PNG, metadata.texts());
 * Optional<PictureMetadata> again = PictureMetadata.read(Path.of("a.png"));
 * }
 *
 * @param request the request of this picture alone, with everything filled in; where the pictures
 *     of a request depend on each other, as under {@link Compatibility#DIFFUSERS}, the whole one. A
 *     picture to begin with is in it at the size that the model saw
 * @param image which of the request's pictures, from 0
 * @param scheduler all options of the scheduler, with the name of its class under {@code
 *     _class_name}
 * @param model which model
 * @param engine what computed it
 * @param pixels SHA-256 of the red, green and blue bytes, row by row from the top, as 64
 *     hexadecimal digits
 */
public record PictureMetadata(
    ImageRequest request,
    int image,
    SchedulerConfig scheduler,
    ModelIdentity model,
    EngineVersion engine,
    String pixels) {

  /** The keyword of the JSON in a picture's file. */
  public static final String KEYWORD = "kolors4j";

  private static final int LONGEST_REASON = 500;

  private static final String CLASS_NAME = "_class_name";

  /** Of the JSON: a reader of this version reads no later one. */
  private static final int FORMAT = 1;

  /**
   * Refuses nulls.
   *
   * @throws IllegalArgumentException if the request has no such picture
   */
  public PictureMetadata {
    Objects.requireNonNull(request, "request");
    if (image < 0 || image >= request.numImages()) {
      throw new IllegalArgumentException(
          "[metadata] image %s of a request of %s.".formatted(image, request.numImages()));
    }
    Objects.requireNonNull(scheduler, "scheduler");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(engine, "engine");
    Objects.requireNonNull(pixels, "pixels");
  }

  /**
   * The metadata of a picture that has just been made.
   *
   * @param request the request with everything filled in, as a result names it
   * @param image which of its pictures, from 0
   * @param picture its pixels
   * @param scheduler that took the steps
   * @param model that computed
   * @param engine that computed
   * @return the metadata
   */
  public static PictureMetadata of(
      ImageRequest request,
      int image,
      KolorsImage picture,
      Scheduler scheduler,
      ModelIdentity model,
      EngineVersion engine) {
    boolean alone = request.numImages() == 1 || request.compatibility() == Compatibility.MENDED;
    ImageRequest own = alone ? request.only(image) : request;
    return new PictureMetadata(
        withoutFolders(withResizedImages(own, picture), picture),
        alone ? 0 : image,
        named(scheduler),
        model,
        engine,
        hash(picture));
  }

  /** Whatever a picture to begin with had more than the model saw of it stays private. */
  private static ImageRequest withResizedImages(ImageRequest request, KolorsImage picture) {
    if (request.start() instanceof Start.Image from && from.cropped()) {
      return request; // the whole picture is in the result, and decides about the region
    }
    List<ControlNetInput> controls =
        request.controlNets().stream()
            .map(each -> each.asSeen(picture.width(), picture.height()))
            .toList();
    ImageRequest controlled = request.toBuilder().controlNets(controls).build();
    if (!(request.start() instanceof Start.Image from)) {
      return controlled;
    }
    List<KolorsImage> images =
        from.images().stream()
            .map(image -> image.resize(picture.width(), picture.height()))
            .toList();
    return controlled.toBuilder()
        .start(
            new Start.Image(
                images,
                from.encoded(),
                from.strength(),
                from.denoisingStart(),
                from.latents(),
                from.mask().map(mask -> resized(mask, picture))))
        .build();
  }

  /** A map goes to the size of the latents at once, where a step between would show. */
  private static Mask resized(Mask mask, KolorsImage picture) {
    return switch (mask) {
      case Mask.Inpainting _ ->
          mask.withImage(mask.image().resize(picture.width(), picture.height()));
      case Mask.StrengthMap _ -> mask;
    };
  }

  /** An adapter is known by its hash and its file's name; where somebody keeps it is private. */
  private static ImageRequest withoutFolders(ImageRequest request, KolorsImage picture) {
    List<Adapters.Use> uses =
        request.adapters().uses().stream()
            .map(
                use ->
                    new Adapters.Use(
                        named(use.adapter()), use.unet(), use.textEncoder(), use.blocks()))
            .toList();
    List<ImagePrompt> imagePrompts =
        request.imagePrompts().stream()
            .map(prompt -> prompt.asSeen(picture.width(), picture.height()))
            .toList();
    return request.toBuilder().adapters(Adapters.of(uses)).imagePrompts(imagePrompts).build();
  }

  private static Adapter named(Adapter adapter) {
    return Adapter.reference(Path.of(adapter.toString()), adapter.sha256());
  }

  /** Also the defaults, which another version may have others of. */
  private static SchedulerConfig named(Scheduler scheduler) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put(CLASS_NAME, scheduler.className());
    SchedulerConfig config = scheduler.config();
    config.keys().forEach(key -> values.putIfAbsent(key, config.get(key)));
    return SchedulerConfig.of(values);
  }

  /**
   * The hash of a picture's pixels, as {@link #pixels} has it.
   *
   * @param picture the picture
   * @return 64 hexadecimal digits
   */
  public static String hash(KolorsImage picture) {
    return Identity.of(picture.rgb());
  }

  /**
   * The class of the scheduler.
   *
   * @return as {@code EulerDiscreteScheduler}
   */
  public String schedulerClass() {
    return scheduler.text(CLASS_NAME);
  }

  /**
   * The scheduler that took the steps.
   *
   * @return a new one
   * @throws IllegalArgumentException if it is of a class that is not this library's, or of options
   *     that it does not know
   */
  public Scheduler makeScheduler() {
    return Schedulers.byName(schedulerClass()).fromConfig(scheduler, Map.of());
  }

  /**
   * The line that the field's tools read, as AUTOMATIC1111's web UI writes it: prompt, negative
   * prompt, and the settings by their names there. Not all of a request has such a name.
   *
   * @return two or more lines
   */
  public String parameters() {
    return GenerationParameters.of(this);
  }

  /**
   * What is written into a picture's file.
   *
   * @return {@link #parameters} and {@link #toJson} by their keywords
   */
  public Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put(PictureText.PARAMETERS, parameters());
    texts.put(KEYWORD, toJson());
    return texts;
  }

  /**
   * All of it as JSON.
   *
   * @return an object, on one line
   */
  public String toJson() {
    Map<String, @Nullable Object> options = new LinkedHashMap<>();
    scheduler.keys().forEach(key -> options.put(key, finite(scheduler.get(key))));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("request", parsed(request.toJson()));
    json.put("image", image);
    json.put("scheduler", options);
    json.put("model", modelJson());
    json.put("engine", engine.json());
    json.put("pixels", pixels);
    return JsonWriter.compact(json);
  }

  private Map<String, Object> modelJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", model.name());
    json.put("hash", model.hash());
    json.put("components", model.components());
    return json;
  }

  /** JSON has no infinity, but every reader of doubles takes this for it. */
  private static @Nullable Object finite(@Nullable Object value) {
    return value instanceof Double number && number.isInfinite()
        ? new BigDecimal(number > 0 ? "1E+999" : "-1E+999")
        : value;
  }

  private static Map<String, Object> parsed(String json) {
    try {
      return JsonReader.of(json).object();
    } catch (JsonException e) {
      throw new IllegalArgumentException("[metadata] the request " + e.reason(), e);
    }
  }

  /**
   * Reads what {@link #toJson} wrote.
   *
   * @param json an object
   * @return the metadata
   * @throws IllegalArgumentException if it is not such an object, or is of a later version
   */
  public static PictureMetadata fromJson(String json) {
    Map<String, Object> values = parsed(json);
    Object format = values.get("format");
    if (!(format instanceof Number number) || number.intValue() != FORMAT) {
      throw new IllegalArgumentException(
          "[metadata] format %s is not %s, which this version of kolors4j reads: use the version that made the picture."
              .formatted(format, FORMAT));
    }
    MetadataValues all = new MetadataValues("", values);
    MetadataValues model = all.object("model");
    Map<String, String> components = new LinkedHashMap<>();
    MetadataValues hashes = model.object("components");
    hashes.keys().forEach(component -> components.put(component, hashes.text(component)));
    return new PictureMetadata(
        ImageRequest.fromJson(JsonWriter.compact(all.object("request").values())),
        all.integer("image"),
        SchedulerConfig.of(all.object("scheduler").values()),
        new ModelIdentity(model.text("name"), components),
        EngineVersion.of(all.object("engine")),
        all.text("pixels"));
  }

  /**
   * Reads the metadata of a picture's file.
   *
   * @param file a PNG or a JPEG
   * @return the metadata; nothing where the file has none of this library's
   * @throws InvalidFileException if the file is missing or damaged, or its metadata are
   * @throws IOException if the system cannot read it
   */
  public static Optional<PictureMetadata> read(Path file) throws IOException {
    String json = PictureText.read(file).get(KEYWORD);
    if (json == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(fromJson(json));
    } catch (IllegalArgumentException e) {
      // The message may repeat a text of the file, of any length and with lines of its own.
      String reason = String.valueOf(e.getMessage()).replaceFirst("^\\[metadata] ", "");
      String shown = ForeignText.oneLine(reason, LONGEST_REASON);
      throw new InvalidFileException("[metadata] %s: %s".formatted(file, shown), e);
    }
  }
}
