package io.github.kolors4j;

import io.github.kolors4j.request.ProgressListener;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.StepCallback;
import io.github.kolors4j.tensor.random.Generator;
import java.util.List;

/** Controls with one thing in them. */
final class Controls {
  private Controls() {}

  static RunControl onStepEnd(StepCallback callback) {
    return RunControl.builder().onStepEnd(callback).build();
  }

  static RunControl onProgress(ProgressListener listener) {
    return RunControl.builder().onProgress(listener).build();
  }

  static RunControl generators(List<? extends Generator> generators) {
    return RunControl.builder().generators(generators).build();
  }
}
