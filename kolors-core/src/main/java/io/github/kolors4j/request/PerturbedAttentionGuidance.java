package io.github.kolors4j.request;

import java.util.List;

/**
 * Guidance away from what the U-Net gives when some of its self-attentions look nowhere (Ahn et al.
 * 2024); the arguments of diffusers' {@code KolorsPAGPipeline}.
 *
 * @param scale how strongly; 0 means not at all, and without it {@code appliedLayers} do not matter
 * @param adaptiveScale by how much the scale falls for each timestep below 1000
 * @param appliedLayers which self-attentions: parts of their names as diffusers has them, such as
 *     {@code mid}, {@code down_blocks.1} or {@code up_blocks.0.attentions.1}
 */
public record PerturbedAttentionGuidance(
    double scale, double adaptiveScale, List<String> appliedLayers) {

  /** No such guidance. */
  public static final PerturbedAttentionGuidance OFF =
      new PerturbedAttentionGuidance(0, 0, List.of("mid"));

  /**
   * Copies the list.
   *
   * @throws IllegalArgumentException if a scale is negative or not finite, or there is no layer
   */
  public PerturbedAttentionGuidance {
    appliedLayers = List.copyOf(appliedLayers);
    check("pag_scale", scale);
    check("pag_adaptive_scale", adaptiveScale);
    if (appliedLayers.isEmpty()) {
      throw new IllegalArgumentException(
          "[request] pag_applied_layers are empty: name at least one, such as mid.");
    }
  }

  /**
   * Whether it acts.
   *
   * @return true for a scale above 0
   */
  public boolean on() {
    return (float) scale > 0;
  }

  private static void check(String name, double value) {
    if (!(value >= 0 && Double.isFinite((float) value))) {
      throw new IllegalArgumentException(
          "[request] %s is %s: use a finite number, 0 or more.".formatted(name, value));
    }
  }
}
