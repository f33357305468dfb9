package io.github.kolors4j.server;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.JobState;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The jobs that clients wait for, each by one request or by several. Clients give up after a minute
 * or ten and ask again, for a picture that takes longer: such a request joins the job of the first
 * one instead of starting another. So a job whose client has left and may ask again goes on for a
 * while; that of any other client ends at once.
 */
final class SharedJobs {
  private static final String RETRY_COUNT = "x-stainless-retry-count";
  private static final String IDEMPOTENCY_KEY = "Idempotency-Key";

  private final Submissions submissions;
  private final Executor afterGrace;
  private final Map<Asked, Shared> jobs = new HashMap<>();

  /**
   * Jobs that clients share.
   *
   * @param submissions the way into the queue
   * @param grace how long a client has to ask again
   */
  SharedJobs(Submissions submissions, Duration grace) {
    this.submissions = submissions;
    this.afterGrace = CompletableFuture.delayedExecutor(grace.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** By what a request is known again: a key of the client's, or where it comes from. */
  private record Asked(
      String key, String path, ImageRequest request, Optional<SchedulerConfig> scheduler) {}

  /** A job and how many wait for it. */
  private static final class Shared {
    private final ImageJob job;
    private int clients;

    Shared(ImageJob job) {
      this.job = job;
    }
  }

  /** One client's part in a job. It leaves by closing. */
  final class Lease implements AutoCloseable {
    private final @Nullable Asked asked;
    private final Shared shared;
    private boolean answered;

    private Lease(@Nullable Asked asked, Shared shared) {
      this.asked = asked;
      this.shared = shared;
    }

    ImageJob job() {
      return shared.job;
    }

    /** The client has what it wanted. */
    void answered() {
      answered = true;
    }

    @Override
    public void close() {
      leave(this);
    }
  }

  /**
   * The job of a request: a new one, or that of an earlier request which this one repeats.
   *
   * @param exchange the request
   * @param call what it asks for
   */
  Lease enter(Exchange exchange, ImageCall call) {
    Asked asked = asked(exchange, call);
    if (asked == null) {
      return new Lease(null, new Shared(submissions.submit(exchange, call)));
    }
    synchronized (this) {
      Shared shared = jobs.get(asked);
      if (shared == null || !repeats(exchange) || isInVain(shared.job.state())) {
        shared = new Shared(submissions.submit(exchange, call));
        jobs.put(asked, shared);
      }
      shared.clients++;
      return new Lease(asked, shared);
    }
  }

  private static boolean isInVain(JobState state) {
    return state == JobState.FAILED || state == JobState.CANCELLED;
  }

  private static boolean repeats(Exchange exchange) {
    return exchange.header(IDEMPOTENCY_KEY).isPresent()
        || exchange.header(RETRY_COUNT).filter(count -> !count.equals("0")).isPresent();
  }

  /** Null for a client that does not say whether it asks again. */
  private static @Nullable Asked asked(Exchange exchange, ImageCall call) {
    Optional<String> key = exchange.header(IDEMPOTENCY_KEY);
    if (key.isEmpty() && exchange.header(RETRY_COUNT).isEmpty()) {
      return null;
    }
    return new Asked(
        key.map(text -> "key " + text).orElseGet(() -> "from " + exchange.remote()),
        exchange.path(),
        call.request(),
        call.scheduler().map(scheduler -> scheduler.config()));
  }

  private void leave(Lease lease) {
    Shared shared = lease.shared;
    if (lease.asked == null) {
      shared.job.cancel();
      return;
    }
    synchronized (this) {
      shared.clients--;
    }
    if (lease.answered) {
      forget(lease.asked, shared);
    } else {
      afterGrace.execute(() -> forget(lease.asked, shared));
    }
  }

  /** Ends and forgets a job that nobody waits for any more. */
  private void forget(Asked asked, Shared shared) {
    synchronized (this) {
      if (shared.clients > 0) {
        return;
      }
      jobs.remove(asked, shared);
    }
    shared.job.cancel();
  }

  /** How many are known; for tests. */
  synchronized int size() {
    return jobs.size();
  }
}
