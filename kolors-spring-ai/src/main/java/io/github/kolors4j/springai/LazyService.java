package io.github.kolors4j.springai;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.service.ImageService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A service whose pipeline is opened by whoever needs it first; the others wait for him. What could
 * not be opened is tried again by the next.
 */
final class LazyService {
  private final PipelineSource source;
  private final Function<KolorsPipeline, ImageService> serve;

  /** Held while the pipeline is being opened, which may take a download of gigabytes. */
  private final ReentrantLock opening = new ReentrantLock();

  // Guarded by this, which nobody holds for long: closing does not wait for an opening.
  private @Nullable ImageService service;
  private @Nullable Throwable failure;
  private boolean closed;

  LazyService(PipelineSource source, Function<KolorsPipeline, ImageService> serve) {
    this.source = source;
    this.serve = serve;
  }

  /** The service, opened now if it is not yet. */
  ImageService open() {
    try {
      opening.lockInterruptibly();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new CancellationException("[spring-ai] interrupted while the model was being opened.");
    }
    try {
      return opened().orElseGet(this::openNow);
    } finally {
      opening.unlock();
    }
  }

  private ImageService openNow() {
    checkOpen();
    KolorsPipeline pipeline;
    try {
      pipeline = source.open();
    } catch (IOException e) {
      failed(e);
      throw new UncheckedIOException(e.getMessage(), e);
    } catch (CancellationException e) {
      throw e; // of this caller, who does not want it any more
    } catch (Throwable e) {
      failed(e);
      throw e;
    }
    ImageService made = serve.apply(pipeline);
    synchronized (this) {
      if (!closed) {
        failure = null;
        service = made;
        return made;
      }
    }
    made.close();
    throw closed();
  }

  private synchronized void failed(Throwable reason) {
    failure = reason;
  }

  private synchronized void checkOpen() {
    if (closed) {
      throw closed();
    }
  }

  private static IllegalStateException closed() {
    return new IllegalStateException("[spring-ai] the image model is closed.");
  }

  /** The service, if somebody has opened it. */
  synchronized Optional<ImageService> opened() {
    return Optional.ofNullable(service);
  }

  /** Why the last attempt to open it failed, if that was the last. */
  synchronized Optional<Throwable> failure() {
    return Optional.ofNullable(failure);
  }

  /** Opens nothing any more, and closes what is open. */
  boolean closeWithin(Duration patience) {
    ImageService open;
    synchronized (this) {
      closed = true;
      open = service;
    }
    return open == null || open.closeWithin(patience);
  }
}
