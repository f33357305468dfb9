package io.github.kolors4j.run;

import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;

/**
 * How large the largest feature maps of a request are, in values.
 *
 * @param unet the U-Net's sizes
 * @param vae the VAE's sizes
 */
record FeatureMaps(UNet2DConditionConfig unet, AutoencoderKLConfig vae) {

  /** Rows of the U-Net's batch: negative, positive and perturbed. */
  static int batch(ResolvedRequest resolved) {
    return (resolved.doClassifierFreeGuidance() ? 2 : 1)
        + (resolved.doPerturbedAttentionGuidance() ? 1 : 0);
  }

  long largestInUnet(ResolvedRequest resolved) {
    LatentSize size = resolved.size();
    return unet.largestFeatureMap(batch(resolved), size.height(), size.width());
  }

  long largestInVae(ResolvedRequest resolved) {
    return Math.max(inDecoder(resolved), inEncoder(resolved));
  }

  private long inDecoder(ResolvedRequest resolved) {
    LatentSize size = resolved.size();
    if (resolved.wantsLatents()) {
      return 0;
    }
    return resolved.request().vaeTiling()
        ? vae.largestTiledFeatureMap(size.height(), size.width())
        : vae.largestFeatureMap(size.height(), size.width());
  }

  private long inEncoder(ResolvedRequest resolved) {
    if (resolved.image().isEmpty() || resolved.image().get().encoded().isPresent()) {
      return 0;
    }
    return resolved.request().vaeTiling()
        ? vae.largestTiledEncoderFeatureMap(resolved.height(), resolved.width())
        : vae.largestEncoderFeatureMap(resolved.height(), resolved.width());
  }

  /** Whether tiles would make the VAE's maps smaller: the picture has more than one. */
  boolean tilingHelps(ResolvedRequest resolved) {
    LatentSize size = resolved.size();
    return !resolved.request().vaeTiling()
        && vae.largestTiledFeatureMap(size.height(), size.width())
            < vae.largestFeatureMap(size.height(), size.width());
  }
}
