package io.github.kolors4j.run;

import java.util.Optional;

/**
 * What the denoising of one image begins with.
 *
 * @param latents {@code [h, w, c]}, which the steps change
 * @param blend what holds a part of them to a picture
 * @param maskChannels what a U-Net for inpainting takes beside the latents, the mask and the
 *     latents of the picture without what is marked {@code [h, w, 1 + c]}; empty for another U-Net
 */
record Beginning(float[] latents, LatentBlend blend, Optional<float[]> maskChannels) {
  static Beginning of(float[] latents) {
    return new Beginning(latents, LatentBlend.NONE, Optional.empty());
  }
}
