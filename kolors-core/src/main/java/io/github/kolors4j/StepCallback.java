package io.github.kolors4j;

/** Called at the end of each denoising step, on the thread that generates; may look and stop. */
@FunctionalInterface
public interface StepCallback {
  /**
   * A denoising step has ended.
   *
   * @param step the step; valid until this method returns
   */
  void onStepEnd(StepEnd step);
}
