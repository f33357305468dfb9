package io.github.kolors4j.service;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.PreparedRequest;
import io.github.kolors4j.events.QueueEvent;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.StepEnd;
import io.github.kolors4j.request.Timings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A request that was given to an {@link ImageService}: where it stands, what it has given so far,
 * and its end. All methods may be called from any thread.
 *
 * {@snippet :
 * ImageJob job = service.submit(ImageRequest.of("一只瓢虫"));
 * job.listen(event -> System.err.println(event));
 * job.result().thenAccept(result -> show(result.image()));
 * }
 */
public final class ImageJob {
  private final String id = UUID.randomUUID().toString();
  private final ImageService service;
  private final KolorsPipeline pipeline;
  private final ImageRequest request;
  private final PreparedRequest prepared;
  private final RunControl control;
  private final CancellationToken token;
  private final CompletableFuture<ImageResult> result = new CompletableFuture<>();

  // Guarded by this, which is taken inside of the service's lock and never the other way round.
  /** From the queue's end to its head; null where it is not in it. */
  private @Nullable QueueEvent waiting;

  private final List<JobSubscription> subscriptions = new ArrayList<>();
  private final List<FinishedImage> images = new ArrayList<>();
  private JobState state = JobState.QUEUED;
  private int queuePosition;
  private boolean started;
  private @Nullable Progress progress;
  private @Nullable Throwable failure;

  ImageJob(
      ImageService service,
      KolorsPipeline pipeline,
      ImageRequest request,
      PreparedRequest prepared,
      JobOptions options) {
    this.service = service;
    this.pipeline = pipeline;
    this.request = request;
    this.prepared = prepared;
    this.control = options.control();
    this.token =
        control.cancellation().map(CancellationToken::child).orElseGet(CancellationToken::new);
    for (JobOptions.Listening listening : options.listeners()) {
      subscriptions.add(new JobSubscription(this, listening));
    }
  }

  /** Lets the future's end be the job's; to be called when the service knows the job. */
  void bindResult() {
    var _ = result.whenComplete((_, _) -> cancel());
  }

  /**
   * A name that nobody can guess.
   *
   * @return a random UUID
   */
  public String id() {
    return id;
  }

  /**
   * What is to be made.
   *
   * @return the request as it was submitted; {@link ImageResult#request} has it with everything
   *     filled in
   */
  public ImageRequest request() {
    return request;
  }

  /**
   * Where the job is.
   *
   * @return its state
   */
  public synchronized JobState state() {
    return state;
  }

  /**
   * The place in the queue.
   *
   * @return 1 for the next job to start; 0 once it has started or ended
   */
  public synchronized int queuePosition() {
    return queuePosition;
  }

  /**
   * How far the job is.
   *
   * @return the newest report; empty before the first
   */
  public synchronized Optional<Progress> progress() {
    return Optional.ofNullable(progress);
  }

  /**
   * What is finished so far; after the end, all of it.
   *
   * @return the images in their order
   */
  public synchronized List<FinishedImage> images() {
    return List.copyOf(images);
  }

  /**
   * Why the job gave less than it was asked for.
   *
   * @return what {@code generate} threw, or the cancellation; empty while it lasts and after a good
   *     end
   */
  public synchronized Optional<Throwable> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * The end of the job. It completes with what {@code generate} returns or throws; a cancelled job
   * completes with a {@link GenerationCancelledException}, also where it never started, for which
   * {@code get} and {@code join} throw a plain {@link CancellationException}. What depends on it
   * runs when the next job has started already, and cannot hold that up.
   *
   * <p>Whoever completes or cancels this future himself, or lets it time out, cancels the job.
   *
   * @return the job's future, the same one each time
   */
  public CompletableFuture<ImageResult> result() {
    return result;
  }

  /**
   * Waits for the end, as if the caller had called {@code generate} himself. An interrupt of the
   * waiting thread cancels the job, and stays set.
   *
   * @return the images, with their seeds and the time that it took
   * @throws GenerationCancelledException if the job was cancelled
   * @throws RuntimeException whatever else {@link KolorsPipeline#generate} throws
   */
  public ImageResult await() {
    boolean interrupted = false;
    try {
      while (!result.isDone()) {
        try {
          result.get();
        } catch (InterruptedException _) {
          interrupted = true;
          cancel();
        } catch (ExecutionException | CancellationException _) {
          break; // thrown below as it was
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    @Nullable Throwable thrown = result.handle((_, e) -> e).join();
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
    return result.join();
  }

  /**
   * Ends the job: at once where it is queued, within half a second where it is being made,
   * callbacks aside. Has no effect on a job that has ended.
   */
  public void cancel() {
    if (!state().isEnded()) {
      service.cancel(this);
    }
  }

  /**
   * One more who hears of this job: first, as events, of where it stands, then of all that happens.
   *
   * @param listener the listener
   * @return to stop listening; need not be closed
   */
  public JobSubscription listen(JobListener listener) {
    return listen(listener, 0);
  }

  /**
   * One more who hears of this job and sees the picture as it becomes.
   *
   * @param listener the listener
   * @param previewEvery a preview after every so many steps of an image, the last step aside; each
   *     costs as much as the decoding of the finished picture. 0 for none
   * @return to stop listening; need not be closed
   * @throws IllegalArgumentException if {@code previewEvery} is negative
   */
  public JobSubscription listen(JobListener listener, int previewEvery) {
    return listen(JobOptions.Listening.every(listener, previewEvery));
  }

  /**
   * One more who hears of this job and chooses when to see the picture.
   *
   * @param listener the listener
   * @param previewAfter whether a preview is wanted after a step; asked after each step of an
   *     image, the last one aside, on the job's thread, so that it must be quick and must not
   *     throw. All that are wanted are kept until the listener has heard of them
   * @return to stop listening; need not be closed
   */
  public JobSubscription listen(JobListener listener, Predicate<Progress> previewAfter) {
    return listen(new JobOptions.Listening(listener, previewAfter, false));
  }

  private JobSubscription listen(JobOptions.Listening listening) {
    JobSubscription subscription = new JobSubscription(this, listening);
    synchronized (this) {
      if (queuePosition > 0) {
        subscription.offer(new JobEvent.Queued(queuePosition));
      }
      if (started) {
        subscription.offer(new JobEvent.Started());
      }
      // In the order in which it happened: of the newest image the progress, then perhaps its end.
      int newest = progress == null ? 0 : progress.image();
      images.stream().filter(image -> image.index() < newest).forEach(subscription::offerFinished);
      if (progress != null) {
        subscription.offer(new JobEvent.Advanced(progress));
      }
      images.stream().filter(image -> image.index() >= newest).forEach(subscription::offerFinished);
      if (state.isEnded()) {
        subscription.offer(new JobEvent.Ended(state, Optional.ofNullable(failure)));
      } else {
        subscriptions.add(subscription);
      }
    }
    return subscription;
  }

  /**
   * How a picture of this job was made, to be written into its file.
   *
   * @param image of {@link #images}
   * @return the metadata
   * @throws IllegalArgumentException if latents were asked for
   * @throws IllegalStateException if the pipeline is closed
   */
  public PictureMetadata metadata(FinishedImage image) {
    return pipeline.metadata(request, image);
  }

  @Override
  public String toString() {
    return "ImageJob[" + id + ", " + state() + "]";
  }

  // For the service, which holds its lock where the state changes.

  CancellationToken token() {
    return token;
  }

  synchronized void queued(int position) {
    if (waiting == null) {
      waiting = new QueueEvent();
      waiting.before = position - 1;
      waiting.begin();
    }
    if (position != queuePosition) {
      queuePosition = position;
      tell(new JobEvent.Queued(position));
    }
  }

  /** Tells Flight Recorder how long it has waited, if it has. */
  private void leaveQueue() {
    QueueEvent event = waiting;
    waiting = null;
    if (event != null && event.shouldCommit()) {
      event.request = id;
      event.commit();
    }
  }

  synchronized void started() {
    leaveQueue();
    state = JobState.GENERATING;
    queuePosition = 0;
    started = true;
    tell(new JobEvent.Started());
  }

  synchronized void ended(JobState end, @Nullable Throwable reason) {
    leaveQueue();
    state = end;
    queuePosition = 0;
    failure = reason;
    tell(new JobEvent.Ended(end, Optional.ofNullable(reason)));
    subscriptions.clear();
  }

  synchronized void forget(JobSubscription subscription) {
    subscriptions.remove(subscription);
  }

  private void tell(JobEvent event) {
    subscriptions.forEach(each -> each.offer(event));
  }

  /** The run itself, on the job's thread. */
  ImageResult generate() {
    pipeline.identity(); // which a picture is told of, also when the pipeline has been closed
    return prepared.generate(
        control.toBuilder()
            .cancellation(token)
            .onProgress(
                report -> {
                  advanced(report);
                  control.onProgress().ifPresent(listener -> listener.onProgress(report));
                })
            .onImage(
                image -> {
                  finished(image);
                  control.onImage().ifPresent(listener -> listener.onImage(image));
                })
            .onStepEnd(
                step -> {
                  control.onStepEnd().ifPresent(callback -> callback.onStepEnd(step));
                  stepEnded(step);
                })
            .build());
  }

  private synchronized void advanced(Progress report) {
    progress = report;
    tell(new JobEvent.Advanced(report));
  }

  private synchronized void finished(FinishedImage image) {
    images.add(image);
    tell(new JobEvent.ImageFinished(image));
  }

  /** Shows the picture after a step, if anybody wants to see it. */
  private void stepEnded(StepEnd step) {
    Progress report = step.progress();
    Predicate<JobSubscription> asks = each -> each.wantsPreview(report);
    synchronized (this) {
      if (report.step() == report.steps() || subscriptions.stream().noneMatch(asks)) {
        return;
      }
    }
    JobEvent preview = new JobEvent.Previewed(report, step.preview());
    synchronized (this) {
      subscriptions.stream().filter(asks).forEach(each -> each.offer(preview));
    }
  }

  /** What a job ends with that was cancelled before it had started. */
  GenerationCancelledException cancelledInTheQueue() {
    Duration none = Duration.ZERO;
    return new GenerationCancelledException(
        "[service] cancelled while it was waiting in the queue; nothing was made.",
        new ImageResult(
            request,
            List.of(),
            Optional.empty(),
            List.of(),
            new Timings(none, none, none, none),
            List.of()));
  }
}
