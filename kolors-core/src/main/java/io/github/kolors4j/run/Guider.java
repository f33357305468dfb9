package io.github.kolors4j.run;

import io.github.kolors4j.scheduler.Slice;

/**
 * The arithmetic of guidance, value by value in F32 and in the order of diffusers' operations: each
 * changes the prediction of one image in place. Rescaling comes after both others.
 */
final class Guider {
  /** Diffusers' constant, also for models with another number of training steps. */
  private static final float ADAPTIVE_FROM = 1000;

  private Guider() {}

  /**
   * Classifier-free guidance (Ho &amp; Salimans 2022): {@code noisePredUncond} becomes the guided
   * one.
   */
  static void guide(Slice noisePredUncond, Slice noisePredText, float guidanceScale) {
    for (int i = 0; i < noisePredUncond.length(); i++) {
      float uncond = noisePredUncond.get(i);
      noisePredUncond.set(i, uncond + guidanceScale * (noisePredText.get(i) - uncond));
    }
  }

  /**
   * Perturbed attention guidance (Ahn et al. 2024); diffusers' {@code
   * _apply_perturbed_attention_guidance}.
   *
   * @param noisePred what {@link #guide} gave; without guidance {@code noisePredText} itself
   */
  static void perturb(
      Slice noisePred, Slice noisePredText, Slice noisePredPerturb, float pagScale) {
    for (int i = 0; i < noisePred.length(); i++) {
      float difference = noisePredText.get(i) - noisePredPerturb.get(i);
      noisePred.set(i, noisePred.get(i) + pagScale * difference);
    }
  }

  /**
   * The scale of one step; diffusers' {@code _get_pag_scale}.
   *
   * @param pagAdaptiveScale how much the scale falls a timestep on the way to 0; 0 for not at all
   * @param compat as diffusers has it: above timestep 1000 the scale is larger than {@code
   *     pagScale}
   */
  static float pagScaleAt(float pagScale, float pagAdaptiveScale, float timestep, boolean compat) {
    if (!(pagAdaptiveScale > 0 && pagScale > 0)) {
      return pagScale;
    }
    float passed = ADAPTIVE_FROM - timestep;
    if (!compat) {
      passed = Math.max(0, passed);
    }
    return Math.max(0, pagScale - pagAdaptiveScale * passed);
  }

  /**
   * Takes the contrast that guidance adds back in part (Lin et al. 2023, section 3.4); diffusers'
   * {@code rescale_noise_cfg}.
   *
   * @param noiseCfg the guided prediction
   * @param noisePredText that of the prompt alone, unchanged by {@link #guide} and {@link #perturb}
   * @param guidanceRescale 0 for nothing, 1 for the prompt's standard deviation
   */
  static void rescale(Slice noiseCfg, Slice noisePredText, float guidanceRescale) {
    float factor = (float) std(noisePredText) / (float) std(noiseCfg);
    float kept = 1 - guidanceRescale;
    for (int i = 0; i < noiseCfg.length(); i++) {
      float cfg = noiseCfg.get(i);
      noiseCfg.set(i, guidanceRescale * (cfg * factor) + kept * cfg);
    }
  }

  /**
   * The standard deviation of a sample, with n − 1 as {@code torch.std}. Plain sums in double: the
   * compiler keeps their order, so they are the same on every machine, and they lose nothing that
   * F32 shows.
   */
  private static double std(Slice x) {
    double sum = 0;
    for (int i = 0; i < x.length(); i++) {
      sum += x.get(i);
    }
    double mean = sum / x.length();
    double squares = 0;
    for (int i = 0; i < x.length(); i++) {
      double deviation = x.get(i) - mean;
      squares += deviation * deviation;
    }
    return Math.sqrt(squares / (x.length() - 1));
  }
}
