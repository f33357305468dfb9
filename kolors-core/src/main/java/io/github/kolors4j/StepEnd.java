package io.github.kolors4j;

import io.github.kolors4j.image.KolorsImage;
import java.util.function.Supplier;

/** The end of one denoising step, as a {@link StepCallback} sees it. */
public final class StepEnd {
  private final Progress progress;
  private final Supplier<FloatArray> latents;
  private final Supplier<KolorsImage> preview;
  private boolean over;
  private boolean cancelled;

  StepEnd(Progress progress, Supplier<FloatArray> latents, Supplier<KolorsImage> preview) {
    this.progress = progress;
    this.latents = latents;
    this.preview = preview;
  }

  /**
   * Which step of which image, and how long the rest will take.
   *
   * @return the progress after this step
   */
  public Progress progress() {
    return progress;
  }

  /**
   * The latents after this step.
   *
   * @return {@code [1, c, h/f, w/f]} in PyTorch's order, before the division by the scaling factor;
   *     a copy
   */
  public FloatArray latents() {
    checkValid();
    return latents.get();
  }

  /**
   * Decodes the latents as they are, still noisy, by the whole VAE: as costly as the decoding of
   * the finished picture.
   *
   * @return the picture so far
   */
  public KolorsImage preview() {
    checkValid();
    return preview.get();
  }

  /** Ends the request: no further step and no decoding; see {@link CancellationToken}. */
  public void cancel() {
    checkValid();
    cancelled = true;
  }

  boolean cancelled() {
    return cancelled;
  }

  void end() {
    over = true;
  }

  private void checkValid() {
    if (over) {
      throw new IllegalStateException(
          "[callback] the step is over: its latents can be read inside onStepEnd only.");
    }
  }
}
