package io.github.kolors4j.spark;

import io.github.kolors4j.request.CancellationToken;
import org.apache.spark.TaskContext;

/**
 * Cancels what a task computes when Spark kills the task, as for a job that was cancelled, or
 * another attempt that was faster. Spark only sets a flag, unless it was told to interrupt.
 */
final class TaskWatch implements AutoCloseable {
  private static final long MILLIS = 100;

  private final CancellationToken token = new CancellationToken();
  private final Thread thread;

  TaskWatch(TaskContext task) {
    thread =
        Thread.ofVirtual()
            .name("kolors-task-watch")
            .start(
                () -> {
                  try {
                    while (!task.isInterrupted()) {
                      Thread.sleep(MILLIS);
                    }
                    token.cancel();
                  } catch (InterruptedException _) {
                    // The task has ended.
                  }
                });
  }

  CancellationToken token() {
    return token;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
