package io.github.kolors4j.run;

import io.github.kolors4j.scheduler.Slice;

/** What holds a part of one image's latents to those of the picture it begins with. */
interface LatentBlend {
  /** Nothing is held. */
  LatentBlend NONE = new LatentBlend() {};

  /** Changes the latents {@code [h, w, c]} that a step is about to take. */
  default void beforeStep(int step, float[] latents) {}

  /** Changes the latents {@code [h, w, c]} that a step has given. */
  default void afterStep(int step, float[] latents) {}

  /**
   * Inpainting with a U-Net that knows of no mask: after each step, what the mask leaves is the
   * picture at the noise of the next one, and after the last step the picture itself. Diffusers'
   * {@code KolorsInpaintPipeline}.
   *
   * @param timetable of the steps
   * @param original the picture's latents with its noise
   * @param mask 1 for a cell that is painted, 0 for one that stays {@code [h, w]}
   * @param cleanAtEnd the reference's fault: the last step that is taken counts as the last of all,
   *     also where the denoising ends early and the painted part is still noisy
   */
  record Inpainting(Timetable timetable, NoisyImage original, float[] mask, boolean cleanAtEnd)
      implements LatentBlend {
    @Override
    public void afterStep(int step, float[] latents) {
      int next = step + 1;
      boolean last =
          next == timetable.timesteps().length || (cleanAtEnd && next == timetable.end());
      float[] kept = last ? original.latents() : original.at(next);
      copyWhere(mask, value -> value == 0, kept, latents);
    }
  }

  /**
   * Differential image to image: before each step, what the map keeps for longer than that is the
   * picture at the noise of the step. Diffusers' {@code KolorsDifferentialImg2ImgPipeline}.
   *
   * @param timetable of the steps
   * @param original the picture's latents with its noise
   * @param map how long each cell is kept, 0 to 1 {@code [h, w]}
   * @param steps how many there are without the strength's cut, which the map counts by
   */
  record Differential(Timetable timetable, NoisyImage original, float[] map, int steps)
      implements LatentBlend {
    @Override
    public void beforeStep(int step, float[] latents) {
      int taken = step - timetable.begin();
      float threshold = taken == 0 ? -1 : (float) taken / steps;
      copyWhere(map, value -> value > threshold, original.at(step), latents);
    }
  }

  /** Which values of a mask count. */
  @FunctionalInterface
  interface Choice {
    boolean of(float value);
  }

  private static void copyWhere(float[] mask, Choice choice, float[] from, float[] to) {
    int c = to.length / mask.length;
    for (int cell = 0; cell < mask.length; cell++) {
      if (choice.of(mask[cell])) {
        System.arraycopy(from, cell * c, to, cell * c, c);
      }
    }
  }

  /**
   * A picture's latents under one and the same noise, at any step.
   *
   * @param timetable of the steps
   * @param latents without noise {@code [h, w, c]}
   * @param noise standard normals {@code [h, w, c]}
   */
  record NoisyImage(Timetable timetable, float[] latents, float[] noise) {
    /** The latents with which a step would begin. */
    float[] at(int step) {
      float[] noisy = new float[latents.length];
      timetable.schedule().addNoise(step, Slice.of(latents), Slice.of(noise), Slice.of(noisy));
      return noisy;
    }
  }
}
