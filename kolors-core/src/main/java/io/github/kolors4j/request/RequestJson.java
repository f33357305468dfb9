package io.github.kolors4j.request;

import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A request as JSON, under the names of diffusers' arguments. What the request does not say is not
 * there; everything else is, also where it is a default.
 */
final class RequestJson {
  private static final String PNG = "png";
  private static final String F32 = "f32";
  private static final String SHAPE = "shape";
  private static final String FILE = "file";
  private static final String SHA256 = "sha256";
  private static final String PREDICT_EVERY = "predict_every";
  private static final String WEIGHT = "weight";
  private static final String TEXT_ENCODER_WEIGHT = "text_encoder_weight";
  private static final String BLOCKS = "blocks";

  private RequestJson() {}

  static Map<String, Object> write(ImageRequest request) {
    Map<String, Object> json = new LinkedHashMap<>();
    putOneOrAll(json, "prompt", request.prompts());
    putOneOrAll(json, "negative_prompt", request.negativePrompts());
    request.embeds().ifPresent(embeds -> putEmbeds(json, embeds));
    json.put("max_sequence_length", request.maxSequenceLength());
    put(json, "height", request.height());
    put(json, "width", request.width());
    putSizes(json, request.sizes());
    putStart(json, request.start());
    putSteps(json, request.steps());
    put(json, "denoising_end", request.denoisingEnd());
    json.put("eta", request.eta());
    if (request.predictEvery() > 1) {
      json.put(PREDICT_EVERY, request.predictEvery());
    }
    json.put("guidance_scale", request.guidance().scale());
    json.put("guidance_rescale", request.guidance().rescale());
    PerturbedAttentionGuidance pag = request.guidance().pag();
    json.put("pag_scale", pag.scale());
    json.put("pag_adaptive_scale", pag.adaptiveScale());
    json.put("pag_applied_layers", pag.appliedLayers());
    json.put("num_images_per_prompt", request.numImagesPerPrompt());
    putOneOrAll(json, "seed", request.seeds());
    json.put("rng", request.rng().toString());
    json.put("output_type", name(request.outputType()));
    json.put("vae_tiling", request.vaeTiling());
    json.put("compat", name(request.compatibility()));
    if (!request.adapters().uses().isEmpty()) {
      json.put("adapters", request.adapters().uses().stream().map(RequestJson::adapter).toList());
    }
    if (!request.controlNets().isEmpty()) {
      json.put("controlnet", request.controlNets().stream().map(ControlNetJson::write).toList());
    }
    if (!request.imagePrompts().isEmpty()) {
      json.put("ip_adapter", request.imagePrompts().stream().map(ImagePromptJson::write).toList());
    }
    return json;
  }

  private static Map<String, Object> adapter(Adapters.Use use) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(FILE, use.adapter().path().toString());
    json.put(SHA256, use.adapter().sha256());
    json.put(WEIGHT, use.unet());
    json.put(TEXT_ENCODER_WEIGHT, use.textEncoder());
    if (!use.blocks().isEmpty()) {
      json.put(BLOCKS, use.blocks());
    }
    return json;
  }

  private static void putEmbeds(Map<String, Object> json, PromptEmbeds embeds) {
    json.put("prompt_embeds", array(embeds.promptEmbeds()));
    json.put("pooled_prompt_embeds", array(embeds.pooledPromptEmbeds()));
    putArray(json, "negative_prompt_embeds", embeds.negativePromptEmbeds());
    putArray(json, "negative_pooled_prompt_embeds", embeds.negativePooledPromptEmbeds());
  }

  private static void putSizes(Map<String, Object> json, MicroConditioning sizes) {
    putSize(json, "original_size", sizes.originalSize());
    putCrop(json, "crops_coords_top_left", sizes.cropsCoordsTopLeft());
    putSize(json, "target_size", sizes.targetSize());
    putSize(json, "negative_original_size", sizes.negativeOriginalSize());
    putCrop(json, "negative_crops_coords_top_left", sizes.negativeCropsCoordsTopLeft());
    putSize(json, "negative_target_size", sizes.negativeTargetSize());
  }

  private static void putStart(Map<String, Object> json, Start start) {
    putArray(json, "latents", start.given());
    if (start instanceof Start.Image image) {
      putOneOrAll(json, "image", image.images().stream().map(RequestJson::picture).toList());
      putArray(json, "image_latents", image.encoded());
      json.put("strength", image.strength());
      put(json, "denoising_start", image.denoisingStart());
      image.mask().ifPresent(mask -> putMask(json, mask));
    }
  }

  private static void putMask(Map<String, Object> json, Mask mask) {
    switch (mask) {
      case Mask.Inpainting(KolorsImage image, OptionalInt padding) -> {
        json.put("mask_image", picture(image));
        put(json, "padding_mask_crop", padding);
      }
      case Mask.StrengthMap(KolorsImage image) -> json.put("map", picture(image));
    }
  }

  private static void putSteps(Map<String, Object> json, Steps steps) {
    switch (steps) {
      case Steps.Count(int count) -> json.put("num_inference_steps", count);
      case Steps.Timesteps(float[] timesteps) -> json.put("timesteps", list(timesteps));
      case Steps.Sigmas(float[] sigmas) -> json.put("sigmas", list(sigmas));
    }
  }

  /** One value by itself, several as a list, none not at all. */
  private static void putOneOrAll(Map<String, Object> json, String key, List<?> values) {
    if (!values.isEmpty()) {
      json.put(key, values.size() == 1 ? values.getFirst() : values);
    }
  }

  private static void put(Map<String, Object> json, String key, OptionalInt value) {
    value.ifPresent(number -> json.put(key, number));
  }

  private static void put(Map<String, Object> json, String key, OptionalDouble value) {
    value.ifPresent(number -> json.put(key, number));
  }

  private static void putSize(
      Map<String, Object> json, String key, Optional<MicroConditioning.Size> size) {
    size.ifPresent(given -> json.put(key, List.of(given.height(), given.width())));
  }

  private static void putCrop(
      Map<String, Object> json, String key, Optional<MicroConditioning.Crop> crop) {
    crop.ifPresent(given -> json.put(key, List.of(given.top(), given.left())));
  }

  private static void putArray(Map<String, Object> json, String key, Optional<FloatArray> array) {
    array.ifPresent(given -> json.put(key, array(given)));
  }

  private static List<Float> list(float... values) {
    List<Float> list = new ArrayList<>();
    for (float value : values) {
      list.add(value);
    }
    return list;
  }

  /** The shape, and the values as little-endian F32 in Base64. */
  static Map<String, Object> array(FloatArray array) {
    float[] values = array.values();
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    List<Integer> shape = new ArrayList<>();
    for (int dim : array.shape().dims()) {
      shape.add(dim);
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(SHAPE, shape);
    json.put(F32, Base64.getEncoder().encodeToString(bytes.array()));
    return json;
  }

  /** A PNG in Base64. */
  static Map<String, Object> picture(KolorsImage image) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      image.writeTo(png);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail so
    }
    return Map.of(PNG, Base64.getEncoder().encodeToString(png.toByteArray()));
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /**
   * The request of a JSON object.
   *
   * @throws IllegalArgumentException if a key is unknown or a value not one that the request can
   *     have
   */
  static ImageRequest read(Map<String, Object> values) {
    return read(new RequestJsonReader(values));
  }

  /** The keys that a request may have: whatever its reader asks for. */
  static Set<String> keys() {
    RequestJsonReader json = new RequestJsonReader(Map.of("prompt", ""));
    read(json);
    return Set.copyOf(json.asked());
  }

  private static ImageRequest read(RequestJsonReader json) {
    ImageRequest.Builder request = begin(json);
    json.list("negative_prompt", RequestJsonReader::text).ifPresent(request::negativePrompts);
    json.integer("max_sequence_length").ifPresent(request::maxSequenceLength);
    json.integer("height").ifPresent(request::height);
    json.integer("width").ifPresent(request::width);
    readSizes(json, request);
    readStart(json, request);
    json.integer("num_inference_steps").ifPresent(request::numInferenceSteps);
    json.floats("timesteps").ifPresent(steps -> request.steps(new Steps.Timesteps(steps)));
    json.floats("sigmas").ifPresent(steps -> request.steps(new Steps.Sigmas(steps)));
    json.number("denoising_end").ifPresent(request::denoisingEnd);
    json.number("eta").ifPresent(request::eta);
    json.integer(PREDICT_EVERY).ifPresent(request::predictEvery);
    json.number("guidance_scale").ifPresent(request::guidanceScale);
    json.number("guidance_rescale").ifPresent(request::guidanceRescale);
    json.number("pag_scale").ifPresent(request::pagScale);
    json.number("pag_adaptive_scale").ifPresent(request::pagAdaptiveScale);
    json.list("pag_applied_layers", RequestJsonReader::text).ifPresent(request::pagAppliedLayers);
    json.integer("num_images_per_prompt").ifPresent(request::numImagesPerPrompt);
    json.list("seed", RequestJsonReader::whole).ifPresent(request::seeds);
    json.text("rng").map(GeneratorType::byName).ifPresent(request::rng);
    json.one("output_type", OutputType.values(), RequestJson::name).ifPresent(request::outputType);
    json.flag("vae_tiling").ifPresent(request::vaeTiling);
    json.one("compat", Compatibility.values(), RequestJson::name).ifPresent(request::compatibility);
    json.list("adapters", RequestJson::adapterOf).map(Adapters::of).ifPresent(request::adapters);
    json.list("ip_adapter", ImagePromptJson::read).ifPresent(request::imagePrompts);
    json.list("controlnet", ControlNetJson::read).ifPresent(request::controlNets);
    json.end();
    return request.build();
  }

  private static ImageRequest.Builder begin(RequestJsonReader json) {
    List<String> prompts = json.list("prompt", RequestJsonReader::text).orElse(List.of());
    Optional<FloatArray> context = json.array("prompt_embeds");
    Optional<FloatArray> pooled = json.array("pooled_prompt_embeds");
    Optional<FloatArray> negative = json.array("negative_prompt_embeds");
    Optional<FloatArray> negativePooled = json.array("negative_pooled_prompt_embeds");
    if (context.isEmpty()
        && (pooled.isPresent() || negative.or(() -> negativePooled).isPresent())) {
      throw new IllegalArgumentException(
          "[request] embeddings without prompt_embeds: give all that encode gives, or none.");
    }
    if (context.isEmpty() && prompts.isEmpty()) {
      throw new IllegalArgumentException(
          "[request] the JSON has no prompt: give \"prompt\", or the \"prompt_embeds\" and"
              + " \"pooled_prompt_embeds\" that encode gives.");
    }
    if (context.isEmpty()) {
      return ImageRequest.builder(prompts);
    }
    FloatArray vector =
        pooled.orElseThrow(
            () ->
                new IllegalArgumentException(
                    "[request] prompt_embeds without pooled_prompt_embeds: both come from the same"
                        + " text, give both."));
    return ImageRequest.builder(new PromptEmbeds(context.get(), vector, negative, negativePooled))
        .prompts(prompts);
  }

  private static void readSizes(RequestJsonReader json, ImageRequest.Builder request) {
    json.pair("original_size").ifPresent(size -> request.originalSize(size[0], size[1]));
    json.pair("crops_coords_top_left")
        .ifPresent(crop -> request.cropsCoordsTopLeft(crop[0], crop[1]));
    json.pair("target_size").ifPresent(size -> request.targetSize(size[0], size[1]));
    json.pair("negative_original_size")
        .ifPresent(size -> request.negativeOriginalSize(size[0], size[1]));
    json.pair("negative_crops_coords_top_left")
        .ifPresent(crop -> request.negativeCropsCoordsTopLeft(crop[0], crop[1]));
    json.pair("negative_target_size")
        .ifPresent(size -> request.negativeTargetSize(size[0], size[1]));
  }

  private static void readStart(RequestJsonReader json, ImageRequest.Builder request) {
    json.array("latents").ifPresent(request::latents);
    json.list("image", RequestJson::pictureOf).ifPresent(request::images);
    json.array("image_latents").ifPresent(request::imageLatents);
    json.number("strength").ifPresent(request::strength);
    json.number("denoising_start").ifPresent(request::denoisingStart);
    readMask(json, request);
  }

  private static void readMask(RequestJsonReader json, ImageRequest.Builder request) {
    Optional<KolorsImage> map = json.value("map", RequestJson::pictureOf);
    Optional<KolorsImage> image = json.value("mask_image", RequestJson::pictureOf);
    OptionalInt padding = json.integer("padding_mask_crop");
    if (map.isPresent() && image.isPresent()) {
      throw new IllegalArgumentException(
          "[request] both mask_image and map: a picture is inpainted, or redrawn by a map, give one of them.");
    }
    if (padding.isPresent() && image.isEmpty()) {
      throw new IllegalArgumentException(
          "[request] padding_mask_crop without mask_image: it is a margin around the mask, give the mask too.");
    }
    map.ifPresent(request::strengthMap);
    image.ifPresent(mask -> request.mask(new Mask.Inpainting(mask, padding)));
  }

  static KolorsImage pictureOf(String key, Object value) {
    if (!(value instanceof Map<?, ?> object) || !(object.get(PNG) instanceof String png)) {
      throw RequestJsonReader.fault(key, value, "{\"png\": the file's bytes in Base64}");
    }
    try {
      return KolorsImage.read(RequestJsonReader.bytes(key, png), key, PictureLimits.DEFAULT);
    } catch (InvalidPictureException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** An adapter that is read when it is used. */
  private static Adapters.Use adapterOf(String key, Object value) {
    if (!(value instanceof Map<?, ?> object)
        || !(object.get(FILE) instanceof String file)
        || !(object.get(SHA256) instanceof String sha256)
        || !(object.get(WEIGHT) instanceof Number weight)
        || !(object.get(TEXT_ENCODER_WEIGHT) instanceof Number ofTextEncoder)) {
      throw RequestJsonReader.fault(
          key, value, "{\"file\", \"sha256\", \"weight\", \"text_encoder_weight\"}");
    }
    Map<String, Double> blocks = new LinkedHashMap<>();
    if (object.get(BLOCKS) instanceof Map<?, ?> given) {
      given.forEach(
          (block, times) -> {
            if (!(times instanceof Number number)) {
              throw RequestJsonReader.fault(key, times, "a number");
            }
            blocks.put(String.valueOf(block), number.doubleValue());
          });
    }
    try {
      Adapter adapter = Adapter.reference(Path.of(file), sha256);
      return new Adapters.Use(adapter, weight.doubleValue(), ofTextEncoder.doubleValue(), blocks);
    } catch (InvalidPathException e) {
      throw RequestJsonReader.fault(key, file, "a file's name");
    }
  }

  /** An array of {@code {"shape", "f32"}}. */
  static FloatArray arrayOf(String key, Object value) {
    if (!(value instanceof Map<?, ?> object)
        || !(object.get(SHAPE) instanceof List<?> extents)
        || !(object.get(F32) instanceof String text)) {
      throw RequestJsonReader.fault(
          key, value, "{\"shape\": [...], \"f32\": little-endian values in Base64}");
    }
    int[] dims = extents.stream().mapToInt(dim -> RequestJsonReader.integer(key, dim)).toArray();
    byte[] bytes = RequestJsonReader.bytes(key, text);
    float[] values = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    Shape shape = Shape.of(dims);
    if (bytes.length != (long) shape.size() * Float.BYTES) {
      throw new IllegalArgumentException(
          "[request] %s has %s bytes, and its shape is %s: four bytes a value are needed."
              .formatted(key, bytes.length, shape));
    }
    return FloatArray.wrap(values, dims);
  }
}
