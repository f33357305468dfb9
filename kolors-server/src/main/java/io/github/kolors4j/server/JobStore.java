package io.github.kolors4j.server;

import io.github.kolors4j.service.ImageJob;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * The jobs that clients ask about by their names: those that have not ended, and for a while those
 * that have, as far as their pictures have room.
 */
final class JobStore {
  private static final int NAMES_OF_GONE = 1000;
  private static final int GONE = 410;
  private static final int NOT_FOUND = 404;

  /**
   * A job that is kept.
   *
   * @param job the job
   * @param call what was asked for
   * @param created when
   */
  record Kept(ImageJob job, ImageCall call, Instant created) {
    /** Bytes that the pictures take. */
    long size() {
      return job.images().stream()
          .flatMap(image -> image.image().stream())
          .mapToLong(picture -> 3L * picture.width() * picture.height())
          .sum();
    }
  }

  private final long room;
  private final Executor afterKeeping;
  private final Map<String, Kept> jobs = new LinkedHashMap<>();
  private final Set<String> gone = new LinkedHashSet<>();

  /**
   * A store.
   *
   * @param keep how long a job is kept when it has ended
   * @param room for pictures, in bytes
   */
  JobStore(Duration keep, long room) {
    this.room = room;
    this.afterKeeping = CompletableFuture.delayedExecutor(keep.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Keeps a job, which may have ended already. */
  Kept add(ImageJob job, ImageCall call) {
    Kept kept = new Kept(job, call, Instant.now());
    synchronized (this) {
      jobs.put(job.id(), kept);
    }
    var _ =
        job.result()
            .whenComplete(
                (_, _) -> {
                  makeRoom();
                  afterKeeping.execute(() -> remove(job.id()));
                });
    return kept;
  }

  /** Finds a job. */
  synchronized Kept get(String id) {
    Kept kept = jobs.get(id);
    if (kept != null) {
      return kept;
    }
    if (gone.contains(id)) {
      throw ApiException.of(
          GONE, "job_gone", "[jobs] this job ended a while ago and is no longer kept.");
    }
    throw ApiException.of(NOT_FOUND, "job_not_found", "[jobs] there is no such job.");
  }

  /** Lets all go, when nobody can ask any more. */
  synchronized void clear() {
    jobs.clear();
  }

  private synchronized void remove(String id) {
    if (jobs.remove(id) != null) {
      gone.add(id);
      if (gone.size() > NAMES_OF_GONE) {
        Iterator<String> oldest = gone.iterator();
        oldest.next();
        oldest.remove();
      }
    }
  }

  /** Lets the oldest go that have ended, until the others have room. */
  private synchronized void makeRoom() {
    long size = jobs.values().stream().mapToLong(Kept::size).sum();
    for (Kept kept : List.copyOf(jobs.values())) {
      if (size > room && kept.job().state().isEnded() && jobs.size() > 1) {
        size -= kept.size();
        remove(kept.job().id());
      }
    }
  }
}
