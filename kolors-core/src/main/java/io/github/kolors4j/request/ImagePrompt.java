package io.github.kolors4j.request;

import io.github.kolors4j.image.CLIPImageProcessor;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.tensor.FloatArray;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Images that a picture is to be like, beside its prompt; diffusers' {@code ip_adapter_image} with
 * all that belongs to it. A request may have several, and what they add, adds up.
 *
 * {@snippet :
 * IpAdapter adapter = IpAdapter.of(Path.of("Kolors-IP-Adapter-Plus"));
 * ImageRequest request =
 *     ImageRequest.builder("一只瓢虫,在雨里")
 *         .imagePrompt(ImagePrompt.of(adapter, KolorsImage.read(Path.of("style.jpg"))).at(0.5))
 *         .build();
 * }
 *
 * @param adapter by which the images are looked at
 * @param images one or several, of any size, of which the middle square is seen; none where they
 *     are given as {@code embeds}
 * @param embeds the images as the adapter's image encoder sees them, in place of {@code images}
 * @param faceEmbedding for an adapter of faces what a recognizer gives of the face {@code [512]},
 *     not normalized; the image is then the square around the face
 * @param scale how much counts of what is seen; 0 is as none
 * @param blocks what counts below a name in the U-Net in place of {@code scale}, as {@code
 *     up_blocks.0.attentions.1}; the longest name decides
 * @param masks where in the picture each of the images counts: white where it does; none means
 *     everywhere, for all images together
 */
public record ImagePrompt(
    IpAdapter adapter,
    List<KolorsImage> images,
    Optional<ImageEmbeds> embeds,
    Optional<FloatArray> faceEmbedding,
    double scale,
    Map<String, Double> blocks,
    List<KolorsImage> masks) {

  /** Where Kolors' U-Net, as SDXL's, has a picture's style. */
  private static final String STYLE = "up_blocks.0.attentions.1";

  /** Where it has a picture's layout. */
  private static final String LAYOUT = "down_blocks.2.attentions.1";

  /**
   * Keeps copies, and checks each value by itself.
   *
   * @throws IllegalArgumentException if there are neither images nor embeddings, or both, or a
   *     scale is no finite number, or there are masks and not one for each image, or a face is
   *     missing or not asked for
   */
  public ImagePrompt {
    Objects.requireNonNull(adapter, "adapter");
    images = List.copyOf(images);
    masks = List.copyOf(masks);
    blocks = Collections.unmodifiableMap(new LinkedHashMap<>(blocks));
    if (images.isEmpty() == embeds.isEmpty()) {
      throw new IllegalArgumentException(
          images.isEmpty()
              ? "[request] an image prompt without an image: give images, or their embeddings."
              : "[request] an image prompt with both images and embeddings: give one of them.");
    }
    checkFinite(scale);
    blocks.values().forEach(ImagePrompt::checkFinite);
    int count = embeds.map(ImageEmbeds::images).orElse(images.size());
    if (!masks.isEmpty() && masks.size() != count) {
      throw new IllegalArgumentException(
          "[request] %s masks for %s images of an image prompt: give one for each, or none."
              .formatted(masks.size(), count));
    }
    boolean ofFaces = adapter.kind() == IpAdapter.Kind.FACE_ID_PLUS;
    if (ofFaces != faceEmbedding.isPresent() || (ofFaces && count != 1)) {
      throw new IllegalArgumentException(
          ofFaces
              ? "[request] %s is for faces: give a face's embedding and one picture of it."
                  .formatted(adapter)
              : "[request] %s takes no face's embedding: give images alone.".formatted(adapter));
    }
  }

  private static void checkFinite(double scale) {
    if (!Double.isFinite(scale)) {
      throw new IllegalArgumentException(
          "[request] the scale of an image prompt is %s: use a number, such as 0.5."
              .formatted(scale));
    }
  }

  /**
   * Images, seen as one: the picture is to be like all of them.
   *
   * @param adapter by which they are looked at
   * @param images one or several
   * @return the prompt, at scale 1
   */
  public static ImagePrompt of(IpAdapter adapter, KolorsImage... images) {
    return of(adapter, List.of(images), Optional.empty(), Optional.empty());
  }

  /**
   * Images that are encoded, as {@code KolorsPipeline.encodeImages} gives them.
   *
   * @param adapter by which they are looked at
   * @param embeds the images
   * @return the prompt, at scale 1
   */
  public static ImagePrompt of(IpAdapter adapter, ImageEmbeds embeds) {
    return of(adapter, List.of(), Optional.of(embeds), Optional.empty());
  }

  /**
   * A face, which this library does not look for in a picture.
   *
   * @param adapter of faces
   * @param embedding what a face recognizer gives, as InsightFace's {@code embedding}; not
   *     normalized
   * @param square around the face
   * @return the prompt, at scale 1
   */
  public static ImagePrompt ofFace(IpAdapter adapter, float[] embedding, KolorsImage square) {
    return of(
        adapter,
        List.of(square),
        Optional.empty(),
        Optional.of(FloatArray.of(embedding, embedding.length)));
  }

  private static ImagePrompt of(
      IpAdapter adapter,
      List<KolorsImage> images,
      Optional<ImageEmbeds> embeds,
      Optional<FloatArray> face) {
    return new ImagePrompt(adapter, images, embeds, face, 1, Map.of(), List.of());
  }

  /**
   * The same at another scale, in all of the U-Net; diffusers' {@code set_ip_adapter_scale}.
   *
   * @param newScale how much counts; 0.5 is where to begin
   * @return another prompt
   * @throws IllegalArgumentException if it is no finite number
   */
  public ImagePrompt at(double newScale) {
    return new ImagePrompt(adapter, images, embeds, faceEmbedding, newScale, Map.of(), masks);
  }

  /**
   * The same at a scale as people write it.
   *
   * @param writtenScale {@code 0.5}; or {@code style=0.5} as {@link #styleAt}, or {@code
   *     style+layout=0.5} as {@link #styleAndLayoutAt}
   * @return another prompt
   * @throws IllegalArgumentException if it is none of them
   */
  public ImagePrompt at(String writtenScale) {
    int equals = writtenScale.indexOf('=');
    double number;
    try {
      number = Double.parseDouble(writtenScale.substring(equals + 1));
    } catch (NumberFormatException e) {
      throw notAScale(writtenScale, e);
    }
    return switch (writtenScale.substring(0, equals + 1)) {
      case "" -> at(number);
      case "style=" -> styleAt(number);
      case "style+layout=" -> styleAndLayoutAt(number);
      default -> throw notAScale(writtenScale, null);
    };
  }

  private static IllegalArgumentException notAScale(
      String scale, @Nullable NumberFormatException cause) {
    return new IllegalArgumentException(
        "[request] ip_adapter_scale %s: use a number, as 0.5, or style=0.5, or style+layout=0.5."
            .formatted(scale),
        cause);
  }

  /**
   * The same with another scale in a part of the U-Net.
   *
   * @param block name of a block or of anything below one, as {@code down_blocks.2} or {@code
   *     up_blocks.0.attentions.1}
   * @param blockScale how much counts there
   * @return another prompt
   * @throws IllegalArgumentException if it is no finite number
   */
  public ImagePrompt atBlock(String block, double blockScale) {
    Map<String, Double> changed = new LinkedHashMap<>(blocks);
    changed.put(block, blockScale);
    return new ImagePrompt(adapter, images, embeds, faceEmbedding, scale, changed, masks);
  }

  /**
   * The same for its style alone: colours and strokes, not what it shows (InstantStyle, Wang et al.
   * 2024).
   *
   * @param styleScale how much counts there, and nothing elsewhere
   * @return another prompt
   */
  public ImagePrompt styleAt(double styleScale) {
    return at(0).atBlock(STYLE, styleScale);
  }

  /**
   * The same for its style and its layout.
   *
   * @param bothScale how much counts there, and nothing elsewhere
   * @return another prompt
   */
  public ImagePrompt styleAndLayoutAt(double bothScale) {
    return styleAt(bothScale).atBlock(LAYOUT, bothScale);
  }

  /**
   * The same with places for its images: each is then looked at by itself.
   *
   * @param newMasks one for each image, of any size: white where it counts
   * @return another prompt
   * @throws IllegalArgumentException if there is not one for each image
   */
  public ImagePrompt within(KolorsImage... newMasks) {
    return new ImagePrompt(
        adapter, images, embeds, faceEmbedding, scale, blocks, List.of(newMasks));
  }

  /**
   * How much counts in an attention.
   *
   * @param attention its name in the U-Net
   * @return the scale of the longest name that it is below, or the one of all
   */
  public double scaleOf(String attention) {
    String name = attention;
    while (!name.isEmpty()) {
      Double block = blocks.get(name);
      if (block != null) {
        return block;
      }
      name = name.substring(0, Math.max(name.lastIndexOf('.'), 0));
    }
    return scale;
  }

  /**
   * Whether it counts nowhere.
   *
   * @return true if all scales are 0
   */
  public boolean isNone() {
    return scale == 0 && blocks.values().stream().allMatch(each -> each == 0);
  }

  /**
   * How many images it has.
   *
   * @return 1 or more
   */
  public int count() {
    return embeds.map(ImageEmbeds::images).orElse(images.size());
  }

  /**
   * The same without anything that is not seen: of images the square, at the size of the encoder;
   * masks at the size of the picture; files without their folders. It gives the same picture.
   *
   * @param width pixels in a row of the picture
   * @param height its rows
   * @return another prompt
   */
  public ImagePrompt asSeen(int width, int height) {
    int size = adapter.imageSize();
    return new ImagePrompt(
        adapter.withoutFolders(),
        size == 0
            ? images
            : images.stream().map(image -> CLIPImageProcessor.crop(image, size)).toList(),
        embeds,
        faceEmbedding,
        scale,
        blocks,
        masks.stream().map(mask -> mask.resize(width, height)).toList());
  }
}
