package io.github.kolors4j.service;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.PreparedRequest;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Makes the pictures of many callers with one pipeline: one request after another by default, in
 * the order in which they came, with a queue that has an end. More at once is not faster, as one
 * request uses all cores; it is only less fair.
 *
 * {@snippet :
 * try (ImageService service = ImageService.builder(pipeline).queueCapacity(16).build()) {
 *   ImageJob job = service.submit(ImageRequest.of("一只瓢虫,蓝色背景"));
 *   job.result().thenAccept(result -> show(result.image()));
 * }
 * }
 *
 * <p>The service remembers no job that has ended; its {@link ImageJob} does. Pictures have the
 * bytes that {@link KolorsPipeline#generate} gives.
 */
public final class ImageService implements AutoCloseable {
  private static final Duration FOR_EVER = Duration.ofNanos(Long.MAX_VALUE);

  /** How long a cancelled request is waited for: ten times what it may take, callbacks aside. */
  private static final Duration AFTER_CANCELLING = Duration.ofSeconds(5);

  private final KolorsPipeline pipeline;
  private final int concurrency;
  private final int queueCapacity;
  private final boolean ownsPipeline;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition jobEnded = lock.newCondition();
  private final ArrayDeque<ImageJob> queue = new ArrayDeque<>();
  private final Map<ImageJob, Thread> running = new HashMap<>();
  private boolean closed;

  private ImageService(Builder builder) {
    pipeline = builder.pipeline;
    concurrency = builder.concurrency;
    queueCapacity = builder.queueCapacity;
    ownsPipeline = builder.ownsPipeline;
  }

  /**
   * Begins a service.
   *
   * @param pipeline that makes the pictures; others may use it at the same time
   * @return what builds it
   */
  public static Builder builder(KolorsPipeline pipeline) {
    return new Builder(pipeline);
  }

  /** How a service is to be. */
  public static final class Builder {
    private final KolorsPipeline pipeline;
    private int concurrency = 1;
    private int queueCapacity = 16;
    private boolean ownsPipeline;

    private Builder(KolorsPipeline pipeline) {
      this.pipeline = Objects.requireNonNull(pipeline, "pipeline");
    }

    /**
     * How many requests are made at once.
     *
     * @param concurrency 1 or more; by default 1
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder concurrency(int concurrency) {
      if (concurrency < 1) {
        throw new IllegalArgumentException(
            "[service] concurrency %s: use 1 or more.".formatted(concurrency));
      }
      this.concurrency = concurrency;
      return this;
    }

    /**
     * How many requests may wait, beside those that are being made.
     *
     * @param queueCapacity 0 to refuse all that cannot start at once; by default 16
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder queueCapacity(int queueCapacity) {
      if (queueCapacity < 0) {
        throw new IllegalArgumentException(
            "[service] a queue of %s: use 0 or more.".formatted(queueCapacity));
      }
      this.queueCapacity = queueCapacity;
      return this;
    }

    /**
     * Lets the service close the pipeline when it is closed itself.
     *
     * @return this
     */
    public Builder ownsPipeline() {
      ownsPipeline = true;
      return this;
    }

    /**
     * The service.
     *
     * @return to be closed
     */
    public ImageService build() {
      return new ImageService(this);
    }
  }

  /**
   * The pipeline.
   *
   * @return what makes the pictures
   */
  public KolorsPipeline pipeline() {
    return pipeline;
  }

  /**
   * How many requests are made at once.
   *
   * @return 1 or more
   */
  public int concurrency() {
    return concurrency;
  }

  /**
   * How many requests may wait.
   *
   * @return 0 or more
   */
  public int queueCapacity() {
    return queueCapacity;
  }

  /**
   * How many jobs are waiting now.
   *
   * @return 0 to {@link #queueCapacity}
   */
  public int waiting() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * How many jobs are being made now.
   *
   * @return 0 to {@link #concurrency}
   */
  public int running() {
    lock.lock();
    try {
      return running.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Puts a request behind those that are there.
   *
   * @param request what to make
   * @return the job, which may have started already
   * @throws IllegalArgumentException if the request cannot be generated by this model
   * @throws QueueFullException if too many are waiting
   * @throws IllegalStateException if the service or its pipeline is closed, or about to be
   */
  public ImageJob submit(ImageRequest request) {
    return submit(request, JobOptions.DEFAULT);
  }

  /**
   * Puts a request behind those that are there.
   *
   * @param request what to make
   * @param control who watches, and who may end it, as {@link KolorsPipeline#generate} takes it
   * @return the job, which may have started already
   * @throws IllegalArgumentException if the request cannot be generated by this model
   * @throws QueueFullException if too many are waiting
   * @throws IllegalStateException if the service or its pipeline is closed, or about to be
   */
  public ImageJob submit(ImageRequest request, RunControl control) {
    return submit(request, JobOptions.builder().control(control).build());
  }

  /**
   * Puts a request behind those that are there.
   *
   * @param request what to make
   * @param options who watches, and with which scheduler
   * @return the job, which may have started already
   * @throws IllegalArgumentException if the request cannot be generated by this model, with this
   *     scheduler
   * @throws QueueFullException if too many are waiting
   * @throws IllegalStateException if the service or its pipeline is closed, or about to be
   */
  public ImageJob submit(ImageRequest request, JobOptions options) {
    Objects.requireNonNull(request, "request");
    KolorsPipeline own = options.scheduler().map(pipeline::withScheduler).orElse(pipeline);
    PreparedRequest prepared = own.prepare(request, options.control());
    ImageJob job = new ImageJob(this, own, request, prepared, options);
    List<ImageJob> gone = new ArrayList<>();
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("[service] is closed: it takes no more requests.");
      }
      removeCancelled(gone);
      if (running.size() < concurrency) {
        start(job);
      } else if (queue.size() < queueCapacity) {
        queue.addLast(job);
        job.queued(queue.size());
      } else {
        throw new QueueFullException(queue.size(), running.size());
      }
    } finally {
      lock.unlock();
      completeFailed(gone);
    }
    job.bindResult();
    return job;
  }

  /**
   * Makes the pictures of a request when its turn comes, and waits for them: {@link #submit} and
   * {@link ImageJob#await}.
   *
   * @param request what to make
   * @param options who watches, and with which scheduler
   * @return the images, with their seeds and the time that it took
   * @throws QueueFullException if too many are waiting
   * @throws GenerationCancelledException if it was cancelled, or the thread was interrupted
   * @throws IllegalArgumentException if the request cannot be generated by this model, with this
   *     scheduler
   * @throws IllegalStateException if the service or its pipeline is closed, or about to be
   */
  public ImageResult generate(ImageRequest request, JobOptions options) {
    return submit(request, options).await();
  }

  /**
   * Starts a job, inside of the lock. Its thread is a platform thread: it computes for minutes, and
   * a virtual one would keep a carrier from all others for so long, of which there is one a core.
   */
  private void start(ImageJob job) {
    Thread thread =
        Thread.ofPlatform().daemon().name("kolors-job-" + job.id()).unstarted(() -> run(job));
    running.put(job, thread);
    job.started();
    try {
      thread.start();
    } catch (Throwable e) { // the system has no more threads
      running.remove(job);
      job.ended(JobState.FAILED, e);
      throw e;
    }
  }

  private void run(ImageJob job) {
    ImageResult result;
    try {
      result = job.generate();
    } catch (Throwable e) {
      boolean cancelled = e instanceof CancellationException;
      end(job, cancelled ? JobState.CANCELLED : JobState.FAILED, e);
      job.result().completeExceptionally(e);
      return;
    }
    end(job, JobState.COMPLETED, null);
    job.result().complete(result);
  }

  private void end(ImageJob job, JobState state, @Nullable Throwable failure) {
    List<ImageJob> gone = new ArrayList<>();
    lock.lock();
    try {
      running.remove(job);
      job.ended(state, failure);
      removeCancelled(gone);
      startWaiting(gone);
      jobEnded.signalAll();
    } finally {
      lock.unlock();
      completeFailed(gone);
    }
  }

  private void startWaiting(List<ImageJob> gone) {
    while (running.size() < concurrency && !queue.isEmpty()) {
      ImageJob next = queue.removeFirst();
      try {
        start(next);
      } catch (Throwable _) {
        gone.add(next);
      }
    }
    renumber();
  }

  /** Takes out whose callers have cancelled their tokens, which tell nobody. */
  private void removeCancelled(List<ImageJob> gone) {
    for (Iterator<ImageJob> jobs = queue.iterator(); jobs.hasNext(); ) {
      ImageJob job = jobs.next();
      if (job.token().isCancelled()) {
        jobs.remove();
        job.ended(JobState.CANCELLED, job.cancelledInTheQueue());
        gone.add(job);
      }
    }
    if (!gone.isEmpty()) {
      renumber();
    }
  }

  private void renumber() {
    int position = 1;
    for (ImageJob job : queue) {
      job.queued(position++);
    }
  }

  /** Tells the futures, outside of the lock: what depends on them is the callers' code. */
  private static void completeFailed(List<ImageJob> gone) {
    for (ImageJob job : gone) {
      job.result().completeExceptionally(job.failure().orElseThrow());
    }
  }

  /** Ends a job that has not ended. */
  void cancel(ImageJob job) {
    List<ImageJob> gone = new ArrayList<>();
    job.token().cancel();
    lock.lock();
    try {
      removeCancelled(gone);
    } finally {
      lock.unlock();
      completeFailed(gone);
    }
  }

  /**
   * Refuses new requests, cancels those that wait, and waits for those that are being made. An
   * interrupt of the waiting thread cancels these too, and stays set. Closing twice does no harm.
   *
   * @throws IllegalStateException if called from a callback of a running job
   */
  @Override
  public void close() {
    closeWithin(FOR_EVER);
  }

  /**
   * Closes as {@link #close} does, and does not wait for ever: jobs that are still being made after
   * some time are cancelled, and waited for five more seconds at most.
   *
   * @param patience how long they may go on; zero cancels them at once
   * @return whether all jobs have ended, and the pipeline is closed if it was to be
   * @throws IllegalStateException if called from a callback of a running job
   */
  public boolean closeWithin(Duration patience) {
    List<ImageJob> gone = new ArrayList<>();
    lock.lock();
    try {
      if (running.containsValue(Thread.currentThread())) {
        throw new IllegalStateException(
            "[service] cannot be closed from a callback of a job, which it would wait for.");
      }
      closed = true;
      queue.forEach(job -> job.token().cancel());
      removeCancelled(gone);
    } finally {
      lock.unlock();
      completeFailed(gone);
    }
    boolean idle = awaitEnds(patience);
    return ownsPipeline ? pipeline.closeWithin(Duration.ZERO) && idle : idle;
  }

  private boolean awaitEnds(Duration patience) {
    boolean interrupted = false;
    lock.lock();
    try {
      interrupted = !await(patience);
      if (!running.isEmpty()) {
        running.keySet().forEach(job -> job.token().cancel());
        interrupted |= !await(AFTER_CANCELLING);
      }
      return running.isEmpty();
    } finally {
      lock.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Waits until no job is running, or so long; false if interrupted. */
  private boolean await(Duration patience) {
    long left = nanos(patience);
    try {
      while (!running.isEmpty() && left > 0) {
        left = jobEnded.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException _) {
      return false;
    }
  }

  private static long nanos(Duration patience) {
    return TimeUnit.NANOSECONDS.convert(patience); // as near as it gets, also to some hundred years
  }
}
