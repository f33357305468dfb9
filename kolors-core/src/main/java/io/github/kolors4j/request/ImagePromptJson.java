package io.github.kolors4j.request;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.tensor.FloatArray;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** An image prompt as JSON. The adapter's files are named, not held. */
final class ImagePromptJson {
  private static final String FILE = "file";
  private static final String IMAGE_ENCODER = "image_encoder";
  private static final String KIND = "kind";
  private static final String IDENTITY = "identity";
  private static final String IMAGE_SIZE = "image_size";
  private static final String IMAGES = "images";
  private static final String IMAGE_EMBEDS = "image_embeds";
  private static final String NEGATIVE_IMAGE_EMBEDS = "negative_image_embeds";
  private static final String FACE_EMBEDDING = "face_embedding";
  private static final String SCALE = "scale";
  private static final String BLOCKS = "blocks";
  private static final String MASKS = "masks";

  private ImagePromptJson() {}

  static Map<String, Object> write(ImagePrompt prompt) {
    Map<String, Object> json = new LinkedHashMap<>();
    IpAdapter adapter = prompt.adapter();
    json.put(FILE, adapter.file().toString());
    adapter.imageEncoder().ifPresent(encoder -> json.put(IMAGE_ENCODER, encoder.toString()));
    json.put(KIND, adapter.kind().name().toLowerCase(Locale.ROOT));
    json.put(IDENTITY, adapter.identity());
    json.put(IMAGE_SIZE, adapter.imageSize());
    if (!prompt.images().isEmpty()) {
      json.put(IMAGES, prompt.images().stream().map(RequestJson::picture).toList());
    }
    if (prompt.embeds().isPresent()) {
      ImageEmbeds embeds = prompt.embeds().get();
      json.put(IMAGE_EMBEDS, RequestJson.array(embeds.imageEmbeds()));
      embeds
          .negativeImageEmbeds()
          .ifPresent(negative -> json.put(NEGATIVE_IMAGE_EMBEDS, RequestJson.array(negative)));
    }
    prompt.faceEmbedding().ifPresent(face -> json.put(FACE_EMBEDDING, RequestJson.array(face)));
    json.put(SCALE, prompt.scale());
    if (!prompt.blocks().isEmpty()) {
      json.put(BLOCKS, prompt.blocks());
    }
    if (!prompt.masks().isEmpty()) {
      json.put(MASKS, prompt.masks().stream().map(RequestJson::picture).toList());
    }
    return json;
  }

  /** The prompt of an object, whose adapter is looked at when it is used. */
  static ImagePrompt read(String key, Object value) {
    if (!(value instanceof Map<?, ?> given)) {
      throw RequestJsonReader.fault(key, value, "an object");
    }
    Map<String, Object> object = new LinkedHashMap<>();
    given.forEach((name, each) -> object.put(String.valueOf(name), each));
    RequestJsonReader json = new RequestJsonReader(object);
    IpAdapter adapter =
        IpAdapter.reference(
            path(key, required(json, FILE)),
            json.text(IMAGE_ENCODER).map(encoder -> path(key, encoder)),
            json.one(KIND, IpAdapter.Kind.values(), kind -> kind.name().toLowerCase(Locale.ROOT))
                .orElse(IpAdapter.Kind.PLUS),
            required(json, IDENTITY),
            json.integer(IMAGE_SIZE).orElse(0));
    List<KolorsImage> images = json.list(IMAGES, RequestJson::pictureOf).orElse(List.of());
    Optional<FloatArray> embeds = json.array(IMAGE_EMBEDS);
    Optional<FloatArray> negative = json.array(NEGATIVE_IMAGE_EMBEDS);
    Optional<FloatArray> face = json.array(FACE_EMBEDDING);
    double scale = json.number(SCALE).orElse(1);
    Map<String, Double> blocks = json.numbers(BLOCKS);
    List<KolorsImage> masks = json.list(MASKS, RequestJson::pictureOf).orElse(List.of());
    json.end();
    return new ImagePrompt(
        adapter,
        images,
        embeds.map(array -> new ImageEmbeds(array, negative)),
        face,
        scale,
        blocks,
        masks);
  }

  private static String required(RequestJsonReader json, String key) {
    return json.text(key)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "[request] ip_adapter has no %s: give what toJson writes.".formatted(key)));
  }

  private static Path path(String key, String file) {
    try {
      return Path.of(file);
    } catch (InvalidPathException e) {
      throw RequestJsonReader.fault(key, file, "a file's name");
    }
  }
}
