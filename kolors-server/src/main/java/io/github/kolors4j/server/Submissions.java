package io.github.kolors4j.server;

import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.ImageService;
import io.github.kolors4j.service.JobOptions;
import io.github.kolors4j.service.QueueFullException;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way of all requests into the queue: counted, and with the answer for a full one. */
final class Submissions {
  private static final Logger LOG = LoggerFactory.getLogger(Submissions.class);

  private final ImageService service;
  private final Metrics metrics;
  private final WarmUp warmUp;
  private final boolean logPrompts;
  private volatile boolean stopping;

  Submissions(ImageService service, Metrics metrics, WarmUp warmUp, boolean logPrompts) {
    this.service = service;
    this.metrics = metrics;
    this.warmUp = warmUp;
    this.logPrompts = logPrompts;
  }

  ImageService service() {
    return service;
  }

  /** Takes no more. */
  void stop() {
    stopping = true;
  }

  boolean stopping() {
    return stopping;
  }

  /** Whether a request would be quick already. */
  boolean warm() {
    return !warmUp.isRunning();
  }

  /** Puts a request into the queue. */
  ImageJob submit(Exchange exchange, ImageCall call) {
    if (stopping) {
      throw ApiException.stopping();
    }
    warmUp.close();
    JobOptions.Builder options = JobOptions.builder();
    call.scheduler().ifPresent(options::scheduler);
    ImageJob job;
    try {
      job = service.submit(call.request(), options.build());
    } catch (QueueFullException e) {
      metrics.refused();
      throw ApiException.queueFull(String.valueOf(e.getMessage()), metrics.secondsOfAJob());
    } catch (IllegalArgumentException e) {
      throw ApiException.refused(e, call.sent());
    } catch (IllegalStateException e) {
      if (stopping) {
        throw ApiException.stopping();
      }
      throw e;
    }
    metrics.watch(job);
    if (logPrompts) {
      LOG.info(
          "{} job {} prompt {} negative {}",
          exchange.id(),
          job.id(),
          job.request().prompts(),
          job.request().negativePrompts());
    }
    return job;
  }

  /**
   * Makes sure that a job has completed.
   *
   * @throws RuntimeException what it ended with
   */
  void requireCompleted(ImageJob job) {
    try {
      job.await();
    } catch (GenerationCancelledException e) {
      throw stopping ? ApiException.stopping() : e;
    }
  }

  /** Why a job ended: not by somebody's wish where the server stops. */
  Throwable reason(Throwable failure) {
    return stopping && failure instanceof GenerationCancelledException
        ? ApiException.stopping()
        : failure;
  }

  /**
   * Waits for the end of a job, or for that of its client.
   *
   * @return whether the client is still there
   */
  static boolean awaitEnd(Exchange exchange, ImageJob job) {
    CompletableFuture<Boolean> ended = new CompletableFuture<>();
    var _ = job.result().whenComplete((_, _) -> ended.complete(true));
    try (ClientWatch _ = exchange.watch(() -> ended.complete(false))) {
      return ended.join();
    }
  }
}
