package io.github.kolors4j.request;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.tensor.FloatArray;
import java.util.List;
import java.util.Optional;

/**
 * What a request gave. Images, latents and seeds follow the prompts: all images of the first
 * prompt, then those of the second.
 *
 * @param request the request with everything filled in that it left open, height and width, and the
 *     seeds that were drawn: generating it again gives the same images
 * @param images the pictures; empty when latents were asked for
 * @param latents {@code [n, c, h/f, w/f]} in PyTorch's order when latents were asked for, before
 *     the division by the scaling factor
 * @param seeds the seed of each image; empty when the request brought its own generators
 * @param timings how long it took
 * @param truncatedPrompts prompts and negative prompts of which a part was lost
 */
public record ImageResult(
    ImageRequest request,
    List<KolorsImage> images,
    Optional<FloatArray> latents,
    List<Long> seeds,
    Timings timings,
    List<TruncatedPrompt> truncatedPrompts) {

  /** Copies the lists. */
  public ImageResult {
    images = List.copyOf(images);
    seeds = List.copyOf(seeds);
    truncatedPrompts = List.copyOf(truncatedPrompts);
  }

  /**
   * The number of pictures, or of latents.
   *
   * @return that of the request's images, or fewer where it ended before
   */
  public int count() {
    return images.size() + latents.map(all -> all.shape().dim(0)).orElse(0);
  }

  /**
   * The only picture, or the first of several.
   *
   * @return {@code images().getFirst()}
   * @throws java.util.NoSuchElementException if latents were asked for
   */
  public KolorsImage image() {
    return images.getFirst();
  }
}
