package io.github.kolors4j.request;

import java.util.Objects;

/**
 * What the prediction of each step is led by.
 *
 * @param scale how strongly the prompt rules (Ho &amp; Salimans 2022): a finite number; at most 1
 *     means no guidance, which halves the work
 * @param rescale how far the contrast that guidance adds is taken back to that of the prompt's own
 *     prediction (Lin et al. 2023), 0 to 1; 0 for not at all
 * @param pag perturbed-attention guidance, which may act beside the prompt's or alone
 */
public record Guidance(double scale, double rescale, PerturbedAttentionGuidance pag) {

  /** Diffusers' defaults: a scale of 5 and nothing else. */
  public static final Guidance DEFAULT = new Guidance(5.0, 0, PerturbedAttentionGuidance.OFF);

  /**
   * Checks each value by itself.
   *
   * @throws IllegalArgumentException if the scale is not finite or the rescale outside 0 to 1
   */
  public Guidance {
    Objects.requireNonNull(pag, "pag");
    if (!Double.isFinite((float) scale)) {
      throw new IllegalArgumentException(
          "[request] guidance scale %s is not a finite number: use 5.0, or 1 for no guidance."
              .formatted(scale));
    }
    Fractions.checkShare("guidance_rescale", rescale);
  }

  /**
   * Whether the prompt rules more than the negative prompt does, so that both are computed.
   *
   * @return true for a scale above 1
   */
  public boolean doClassifierFreeGuidance() {
    return (float) scale > 1;
  }

  /**
   * This guidance with another scale.
   *
   * @param scale at most 1 for none
   * @return the changed guidance
   * @throws IllegalArgumentException if it is not finite
   */
  public Guidance withScale(double scale) {
    return new Guidance(scale, rescale, pag);
  }

  /**
   * This guidance with another rescale.
   *
   * @param rescale 0 to 1
   * @return the changed guidance
   * @throws IllegalArgumentException if it is outside that
   */
  public Guidance withRescale(double rescale) {
    return new Guidance(scale, rescale, pag);
  }

  /**
   * This guidance with other perturbed-attention guidance beside it.
   *
   * @param pag how strong and where
   * @return the changed guidance
   */
  public Guidance withPag(PerturbedAttentionGuidance pag) {
    return new Guidance(scale, rescale, pag);
  }
}
