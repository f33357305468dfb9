package io.github.kolors4j.request;

import java.util.OptionalInt;

/**
 * Ends guidance after a part of the steps, which makes the rest twice as fast and changes little of
 * the picture; diffusers' {@code SDXLCFGCutoffCallback}.
 *
 * @param cutoffStepRatio the share of the steps after which it ends, 0 to 1
 * @param cutoffStepIndex in place of the share, the step after which it ends, from 0 on
 */
public record CFGCutoffCallback(double cutoffStepRatio, OptionalInt cutoffStepIndex)
    implements StepCallback {

  /**
   * A cut-off.
   *
   * @throws IllegalArgumentException if the share is outside 0 to 1, or the step negative
   */
  public CFGCutoffCallback {
    if (!(cutoffStepRatio >= 0 && cutoffStepRatio <= 1)) {
      throw new IllegalArgumentException(
          "[callback] cutoff_step_ratio is %s: use 0 to 1.".formatted(cutoffStepRatio));
    }
    if (cutoffStepIndex.isPresent() && cutoffStepIndex.getAsInt() < 0) {
      throw new IllegalArgumentException(
          "[callback] cutoff_step_index is %s: use 0 or more."
              .formatted(cutoffStepIndex.getAsInt()));
    }
  }

  /**
   * A cut-off after a share of the steps.
   *
   * @param cutoffStepRatio 0 to 1
   * @return the callback
   */
  public static CFGCutoffCallback afterRatio(double cutoffStepRatio) {
    return new CFGCutoffCallback(cutoffStepRatio, OptionalInt.empty());
  }

  /**
   * A cut-off after a step.
   *
   * @param cutoffStepIndex from 0 on
   * @return the callback
   */
  public static CFGCutoffCallback afterStep(int cutoffStepIndex) {
    return new CFGCutoffCallback(1, OptionalInt.of(cutoffStepIndex));
  }

  @Override
  public void onStepEnd(StepEnd step) {
    int cutoff = cutoffStepIndex.orElse((int) (step.progress().steps() * cutoffStepRatio));
    if (step.progress().step() - 1 == cutoff) {
      step.setGuidanceScale(0);
    }
  }
}
