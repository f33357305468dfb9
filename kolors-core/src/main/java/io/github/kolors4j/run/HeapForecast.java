package io.github.kolors4j.run;

import io.github.kolors4j.request.HeapTooSmallException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.tensor.ops.Convolution;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import io.github.kolors4j.vae.AutoencoderTinyConfig;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How much of the Java heap a request will take, and whether it can have that.
 *
 * @param unet the U-Net's sizes
 * @param vae the VAE's sizes
 * @param tiny the sizes of a tiny autoencoder in the place of the VAE
 * @param threads how many threads compute, each with buffers of its own
 * @param maxMemory the most bytes that the Java heap can have
 */
record HeapForecast(
    UNet2DConditionConfig unet,
    AutoencoderKLConfig vae,
    Optional<AutoencoderTinyConfig> tiny,
    int threads,
    long maxMemory) {
  /** Feature maps as large as the largest that the U-Net has at once, beside what it keeps. */
  private static final double UNET_MAPS = 6;

  /** Feature maps as large as the largest that the VAE has at once. */
  private static final double VAE_MAPS = 2.5;

  /**
   * The heap to its values: the collector rounds arrays up to its regions, and has none to spare
   * for a last one. With two threads the full model ran with 486 and not with 480 MB (128×128), 580
   * and 560 (256×256), 750 and 720 (512×512 without the VAE), 840 and 800 (VAE, 512×512), 3,300 and
   * 3,072 (1024×1024), in units of 2^20 bytes; these figures ask for 526, 581, 800, 879 and 3,333.
   */
  private static final double HEAP_SHARE = 1.28;

  /** Of an image prompt's image; Kolors' adapters have 16 and 6. */
  private static final int IMAGE_TOKENS = 16;

  /** Bytes of the heap that the program itself takes. */
  private static final long PROGRAM = 44_000_000;

  /**
   * Refuses a request that the heap cannot hold.
   *
   * @throws HeapTooSmallException if that is so
   */
  void check(ResolvedRequest resolved) {
    long forUnet = bytesForUnet(resolved);
    long forVae = bytesForVae(resolved);
    if (Math.max(forUnet, forVae) <= maxMemory) {
      return;
    }
    boolean vaeIsNeedier = forVae >= forUnet;
    boolean tiling = vaeIsNeedier && new FeatureMaps(unet, vae, tiny).tilingHelps(resolved);
    throw new HeapTooSmallException(
        ("[request] %sx%s pixels need about %s of Java heap in the %s, and it can have %s: use a"
                + " smaller width or height%s, or start Java with a larger -Xmx.")
            .formatted(
                resolved.width(),
                resolved.height(),
                megabytes(Math.max(forUnet, forVae)),
                vaeIsNeedier ? "VAE" : "U-Net",
                megabytes(maxMemory),
                tiling ? ", or VAE tiling" : ""));
  }

  /** What the denoising takes at most, in bytes. */
  long bytesForUnet(ResolvedRequest resolved) {
    int batch = FeatureMaps.batch(resolved);
    LatentSize size = resolved.size();
    return heap(
        unet.textValues(
                batch, resolved.request().maxSequenceLength() + imageTokens(resolved.request()))
            + unet.skipValues(batch, size.height(), size.width())
            + controlValues(resolved)
            + buffers(unet.blockOutChannels())
            + (long) (UNET_MAPS * new FeatureMaps(unet, vae, tiny).largestInUnet(resolved)));
  }

  /** The files of adapters tell it exactly, and are not open yet: none has more for an image. */
  private static int imageTokens(ImageRequest request) {
    return request.imagePrompts().stream().mapToInt(prompt -> IMAGE_TOKENS * prompt.count()).sum();
  }

  /**
   * Text and picture of each ControlNet, and their residuals: the sum, which is there while the
   * U-Net computes, or two of them while the sum is made, beside what one keeps of its own. The
   * maps of one are no larger than the U-Net's, which it does not meet.
   */
  private long controlValues(ResolvedRequest resolved) {
    int nets = resolved.controlNets().size();
    if (nets == 0) {
      return 0;
    }
    int batch = FeatureMaps.batch(resolved);
    LatentSize size = resolved.size();
    long text = unet.encoder().textValues(batch, resolved.request().maxSequenceLength());
    long picture = (long) size.cells() * unet.blockOutChannels().getFirst();
    return nets * (text + picture) + 2 * unet.skipValues(batch, size.height(), size.width());
  }

  /** What encoding and decoding of pictures take at most, in bytes. */
  long bytesForVae(ResolvedRequest resolved) {
    return heap(
        buffers(vae.blockOutChannels())
            + (long) (VAE_MAPS * new FeatureMaps(unet, vae, tiny).largestInVae(resolved)));
  }

  private long buffers(List<Integer> blockOutChannels) {
    return threads * Convolution.bufferValues(Collections.max(blockOutChannels));
  }

  private static long heap(long values) {
    return PROGRAM + (long) (HEAP_SHARE * Float.BYTES * values);
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MB", (bytes + 999_999) / 1_000_000);
  }
}
