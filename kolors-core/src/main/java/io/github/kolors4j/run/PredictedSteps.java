package io.github.kolors4j.run;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.Scheduler;

/**
 * The steps in which the U-Net predicts. The first ones and the last ones are always among them:
 * there the prediction bends the most.
 *
 * @param every of those between, each how manyth; 1 for all
 * @param begin the first step that is taken
 * @param end the step after the last one
 */
record PredictedSteps(int every, int begin, int end) {
  private static final int FIRST = 5;
  private static final int LAST = 2;

  /** The scheduler whose steps follow the prediction alone, on a line. */
  private static final String EULER = "EulerDiscreteScheduler";

  /**
   * Refuses to leave predictions out where a scheduler makes more of them than a line.
   *
   * @throws IllegalArgumentException if it is not Euler's method
   */
  static void check(Scheduler scheduler, ImageRequest request) {
    if (request.predictEvery() > 1 && !scheduler.className().equals(EULER)) {
      throw new IllegalArgumentException(
          "[request] predict_every %s with %s: only the steps of %s can do without predictions. Leave it out and take fewer steps, or choose that scheduler."
              .formatted(request.predictEvery(), scheduler.className(), EULER));
    }
  }

  /** Whether the U-Net predicts in a step. */
  boolean contains(int step) {
    int inFirst = step - begin - (FIRST - 1);
    return inFirst <= 0 || inFirst % every == 0 || step >= end - LAST;
  }

  /** How many steps it predicts in. */
  int count() {
    int count = 0;
    for (int step = begin; step < end; step++) {
      count += contains(step) ? 1 : 0;
    }
    return count;
  }
}
