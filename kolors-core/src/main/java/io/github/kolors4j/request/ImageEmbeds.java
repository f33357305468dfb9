package io.github.kolors4j.request;

import io.github.kolors4j.tensor.FloatArray;
import java.util.Optional;

/**
 * Images as an image encoder sees them; diffusers' {@code ip_adapter_image_embeds}, of which these
 * are the two halves. They hold for every adapter with the same encoder.
 *
 * @param imageEmbeds what the encoder's last layer but one gives {@code [images, s, d]}
 * @param negativeImageEmbeds the same of what the images are held against under guidance; where
 *     empty, it is computed when it is needed
 */
public record ImageEmbeds(FloatArray imageEmbeds, Optional<FloatArray> negativeImageEmbeds) {
  private static final int RANK = 3;

  /**
   * Checks the shapes.
   *
   * @throws IllegalArgumentException if they do not fit each other
   */
  public ImageEmbeds {
    if (imageEmbeds.shape().rank() != RANK || imageEmbeds.shape().dim(0) < 1) {
      throw new IllegalArgumentException(
          "[request] image_embeds are %s: [images, tokens, width] is needed."
              .formatted(imageEmbeds.shape()));
    }
    if (negativeImageEmbeds.isPresent()
        && !negativeImageEmbeds.get().shape().equals(imageEmbeds.shape())) {
      throw new IllegalArgumentException(
          "[request] negative_image_embeds are %s and image_embeds %s: they must be equal."
              .formatted(negativeImageEmbeds.get().shape(), imageEmbeds.shape()));
    }
  }

  /**
   * How many images they are of.
   *
   * @return 1 or more
   */
  public int images() {
    return imageEmbeds.shape().dim(0);
  }
}
