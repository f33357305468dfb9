package io.github.kolors4j.service;

import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.Progress;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A listener's place at a job, with the events that it has not yet heard. They are handed over by a
 * virtual thread that lives only while there are some.
 */
public final class JobSubscription implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobSubscription.class);

  private final ImageJob job;
  private final JobListener listener;
  private final Predicate<Progress> previewAfter;
  private final boolean newestOnly;
  private final Queue<JobEvent> unheard = new ArrayDeque<>();
  private boolean delivering;
  private boolean closed;

  JobSubscription(ImageJob job, JobOptions.Listening listening) {
    this.job = job;
    this.listener = listening.listener();
    this.previewAfter = listening.previewAfter();
    this.newestOnly = listening.newestOnly();
  }

  /** Whether this listener wants to see the picture after that step. */
  boolean wantsPreview(Progress step) {
    return previewAfter.test(step);
  }

  /** Puts an event at the end of those to be heard; never waits for the listener. */
  synchronized void offer(JobEvent event) {
    if (closed) {
      return;
    }
    if (newestOnly && event instanceof JobEvent.Previewed) {
      unheard.removeIf(JobEvent.Previewed.class::isInstance); // who is slow sees the newest one
    }
    unheard.add(event);
    if (!delivering) {
      delivering = true;
      Thread.ofVirtual().name("kolors-events-" + job.id()).start(this::deliver);
    }
  }

  void offerFinished(FinishedImage image) {
    offer(new JobEvent.ImageFinished(image));
  }

  private void deliver() {
    for (JobEvent event = next(); event != null; event = next()) {
      try {
        listener.onEvent(event);
      } catch (Throwable e) {
        LOG.warn("[service] a listener of job {} threw at {}", job.id(), kind(event), e);
      }
    }
  }

  private synchronized @Nullable JobEvent next() {
    JobEvent next = unheard.poll();
    delivering = next != null;
    return next;
  }

  private static String kind(JobEvent event) {
    return event.getClass().getSimpleName();
  }

  /** Stops listening. An event that is being heard now is the last one. The job goes on. */
  @Override
  public void close() {
    job.forget(this);
    synchronized (this) {
      closed = true;
      unheard.clear();
    }
  }
}
