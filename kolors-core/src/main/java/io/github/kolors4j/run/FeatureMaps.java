package io.github.kolors4j.run;

import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import io.github.kolors4j.vae.AutoencoderTinyConfig;
import java.util.Optional;

/**
 * How large the largest feature maps of a request are, in values.
 *
 * @param unet the U-Net's sizes
 * @param vae the VAE's sizes
 * @param tiny the sizes of a tiny autoencoder in the place of the VAE
 */
record FeatureMaps(
    UNet2DConditionConfig unet, AutoencoderKLConfig vae, Optional<AutoencoderTinyConfig> tiny) {

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
    if (tiny.isPresent()) {
      return inTiny(tiny.get(), resolved);
    }
    return resolved.request().vaeTiling()
        ? vae.largestTiledFeatureMap(size.height(), size.width())
        : vae.largestFeatureMap(size.height(), size.width());
  }

  private long inEncoder(ResolvedRequest resolved) {
    if (resolved.image().isEmpty() || resolved.image().get().encoded().isPresent()) {
      return 0;
    }
    if (tiny.isPresent()) {
      return inTiny(tiny.get(), resolved);
    }
    return resolved.request().vaeTiling()
        ? vae.largestTiledEncoderFeatureMap(resolved.height(), resolved.width())
        : vae.largestEncoderFeatureMap(resolved.height(), resolved.width());
  }

  /** In values of the VAE's maps: it has six at once where the VAE has five. */
  private static long inTiny(AutoencoderTinyConfig tiny, ResolvedRequest resolved) {
    return tiny.largestFeatureMap(resolved.height(), resolved.width()) * 6 / 5;
  }

  /** Whether tiles would make the VAE's maps smaller: the picture has more than one. */
  boolean tilingHelps(ResolvedRequest resolved) {
    LatentSize size = resolved.size();
    return !resolved.request().vaeTiling()
        && tiny.isEmpty()
        && vae.largestTiledFeatureMap(size.height(), size.width())
            < vae.largestFeatureMap(size.height(), size.width());
  }
}
