package io.github.kolors4j.request;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
   * What a program is told beside the pictures, as a map for those that know no classes of this
   * library: under diffusers' names what was asked for or filled in, and how long it took.
   *
   * @return {@code width} and {@code height} of the pictures and {@code num_inference_steps}, as
   *     {@code Integer}, where there are such; {@code guidance_scale}, as {@code Double}; {@code
   *     timings}, {@link Timings}; and {@code truncated_prompts}, a list of {@link
   *     TruncatedPrompt}, where a part of a prompt was lost. A new map, to be added to
   */
  public Map<String, Object> summary() {
    Map<String, Object> summary = new LinkedHashMap<>();
    if (!images.isEmpty()) {
      summary.put("width", image().width());
      summary.put("height", image().height());
    }
    if (request.steps() instanceof Steps.Count(int count)) {
      summary.put("num_inference_steps", count);
    }
    summary.put("guidance_scale", request.guidance().scale());
    summary.put("timings", timings);
    if (!truncatedPrompts.isEmpty()) {
      summary.put("truncated_prompts", truncatedPrompts);
    }
    return summary;
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
