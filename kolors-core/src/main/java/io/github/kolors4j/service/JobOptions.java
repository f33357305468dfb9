package io.github.kolors4j.service;

import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.scheduler.Scheduler;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;

/** What may be said of a job beside its request. Immutable. */
public final class JobOptions {
  /** Nobody watches, and the scheduler is the pipeline's. */
  public static final JobOptions DEFAULT = builder().build();

  private final RunControl control;
  private final Optional<Scheduler> scheduler;
  private final List<Listening> listeners;

  /**
   * A listener, after which steps it wants the picture, and whether only the newest one where it is
   * slow: who has chosen a few steps gets all of them.
   */
  record Listening(JobListener listener, Predicate<Progress> previewAfter, boolean newestOnly) {
    Listening {
      Objects.requireNonNull(listener, "listener");
      Objects.requireNonNull(previewAfter, "previewAfter");
    }

    static Listening every(JobListener listener, int previewEvery) {
      if (previewEvery < 0) {
        throw new IllegalArgumentException(
            "[service] a preview every %s steps: use 1 or more, or 0 for none."
                .formatted(previewEvery));
      }
      return new Listening(
          listener,
          previewEvery == 0 ? _ -> false : report -> report.step() % previewEvery == 0,
          true);
    }
  }

  private JobOptions(Builder builder) {
    control = builder.control;
    scheduler = builder.scheduler;
    listeners = List.copyOf(builder.listeners);
  }

  /**
   * Begins with the defaults.
   *
   * @return what builds it
   */
  public static Builder builder() {
    return new Builder();
  }

  /** What is to be said of a job. */
  public static final class Builder {
    private RunControl control = RunControl.NONE;
    private Optional<Scheduler> scheduler = Optional.empty();
    private final List<Listening> listeners = new ArrayList<>();

    private Builder() {}

    /**
     * Who watches the run, as {@code generate} takes it. Its listeners are called on the job's
     * thread, and what they throw ends the job; its time limit counts from the start of the run,
     * not from the queue. Its token ends a job that is being made within half a second, and one
     * that waits when the queue moves next; {@link ImageJob#cancel} does both at once.
     *
     * @param control listeners, token, time limit and generators
     * @return this
     */
    public Builder control(RunControl control) {
      this.control = Objects.requireNonNull(control, "control");
      return this;
    }

    /**
     * A scheduler for this job, in place of the pipeline's.
     *
     * @param scheduler the scheduler
     * @return this
     */
    public Builder scheduler(Scheduler scheduler) {
      this.scheduler = Optional.of(scheduler);
      return this;
    }

    /**
     * One more who hears of all that happens, from the first event on.
     *
     * @param listener the listener
     * @return this
     */
    public Builder listener(JobListener listener) {
      return listener(listener, 0);
    }

    /**
     * One more who hears of all that happens and sees the picture as it becomes.
     *
     * @param listener the listener
     * @param previewEvery a preview after every so many steps of an image, the last step aside;
     *     each costs as much as the decoding of the finished picture. 0 for none
     * @return this
     * @throws IllegalArgumentException if {@code previewEvery} is negative
     */
    public Builder listener(JobListener listener, int previewEvery) {
      listeners.add(Listening.every(listener, previewEvery));
      return this;
    }

    /**
     * The options.
     *
     * @return as they were put together
     */
    public JobOptions build() {
      return new JobOptions(this);
    }
  }

  /**
   * Who watches the run.
   *
   * @return by default nobody
   */
  public RunControl control() {
    return control;
  }

  /**
   * The job's own scheduler.
   *
   * @return empty for the pipeline's
   */
  public Optional<Scheduler> scheduler() {
    return scheduler;
  }

  List<Listening> listeners() {
    return listeners;
  }
}
