package io.github.kolors4j.service;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.Progress;
import java.util.Optional;

/**
 * Something that happened to a job. A listener hears of a job in this order: {@link Queued} any
 * number of times, {@link Started} once, {@link Advanced}, {@link Previewed} and {@link
 * ImageFinished} any number of times, {@link Ended} once and last. A job that ends in the queue
 * never starts.
 */
public sealed interface JobEvent {
  /**
   * The job has a new place in the queue.
   *
   * @param position 1 for the next job to start
   */
  record Queued(int position) implements JobEvent {}

  /** The pipeline begins with the job. */
  record Started() implements JobEvent {}

  /**
   * A stage has begun or a step has ended.
   *
   * @param progress where the request stands
   */
  record Advanced(Progress progress) implements JobEvent {}

  /**
   * The picture as it is after a step, still noisy.
   *
   * @param progress the step
   * @param picture the latents, decoded by the VAE
   */
  record Previewed(Progress progress, KolorsImage picture) implements JobEvent {}

  /**
   * A picture of the job is complete.
   *
   * @param image the picture or its latents
   */
  record ImageFinished(FinishedImage image) implements JobEvent {}

  /**
   * The job has ended.
   *
   * @param state how: {@link JobState#COMPLETED}, {@link JobState#FAILED} or {@link
   *     JobState#CANCELLED}
   * @param failure what {@code generate} threw, or the cancellation; empty for a completed job
   */
  record Ended(JobState state, Optional<Throwable> failure) implements JobEvent {}
}
