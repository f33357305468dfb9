package io.github.kolors4j.request;

/**
 * Called at the end of each denoising step, on the thread that generates; may look, change and
 * stop.
 */
@FunctionalInterface
public interface StepCallback {
  /**
   * A denoising step has ended.
   *
   * @param step the step; valid until this method returns
   */
  void onStepEnd(StepEnd step);

  /**
   * This callback and then another one, at each step; diffusers' {@code MultiPipelineCallbacks}.
   *
   * @param next called after this one
   * @return both as one
   */
  default StepCallback andThen(StepCallback next) {
    return step -> {
      onStepEnd(step);
      next.onStepEnd(step);
    };
  }
}
