package io.github.kolors4j.service;

/** Hears of what happens to a job. */
@FunctionalInterface
public interface JobListener {
  /**
   * Something has happened. Events of a job come one after another and in order, on a virtual
   * thread of the listener's own: one that is slow or throws disturbs neither the job nor other
   * listeners. What it throws is logged.
   *
   * @param event what happened
   */
  void onEvent(JobEvent event);
}
