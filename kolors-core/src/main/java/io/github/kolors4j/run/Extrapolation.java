package io.github.kolors4j.run;

import io.github.kolors4j.scheduler.Slice;

/**
 * The guided predictions of one image, also of steps in which the U-Net makes none: those lie on
 * the line through the last two that it made, {@code ε₁ + (ε₁ − ε₂) · (t − t₁) / (t₁ − t₂)}. The
 * true ratio of times matters: with 1 in its place, steps of different lengths drive a picture
 * away.
 */
final class Extrapolation {
  private final PredictedSteps steps;
  private final float[] last;
  private final float[] lastButOne;
  private final Slice guess;
  private float lastTime;
  private float timeBefore;

  /**
   * Of an image that has no predictions yet.
   *
   * @param values of a prediction
   */
  Extrapolation(PredictedSteps steps, int values) {
    int kept = steps.every() > 1 ? values : 0;
    this.steps = steps;
    last = new float[kept];
    lastButOne = new float[kept];
    guess = Slice.of(new float[kept]);
  }

  /** Whether a step's prediction is to be made. */
  boolean isPredicted(int step) {
    return steps.contains(step);
  }

  /** Remembers a prediction that was made. */
  void predicted(float t, Slice guided) {
    if (last.length == 0) {
      return;
    }
    System.arraycopy(last, 0, lastButOne, 0, last.length);
    System.arraycopy(guided.values(), guided.offset(), last, 0, last.length);
    timeBefore = lastTime;
    lastTime = t;
  }

  /** What the U-Net would predict, about; valid until the next one. */
  Slice at(float t) {
    float ratio = (t - lastTime) / (lastTime - timeBefore);
    for (int i = 0; i < last.length; i++) {
      guess.set(i, last[i] + (last[i] - lastButOne[i]) * ratio);
    }
    return guess;
  }
}
