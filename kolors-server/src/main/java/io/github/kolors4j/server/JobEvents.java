package io.github.kolors4j.server;

import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.JobEvent;
import io.github.kolors4j.service.JobSubscription;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The events of a job on their way to a client, in an answer that stays open. A comment goes out
 * where nothing happens for a while. That the client has left ends it with an exception.
 */
final class JobEvents implements AutoCloseable {
  private static final int PAUSE_SECONDS = 10;

  private final BlockingQueue<Optional<JobEvent>> queue = new LinkedBlockingQueue<>();
  private final EventStream stream;
  private final ClientWatch watch;
  private final JobSubscription subscription;

  /**
   * Opens the answer.
   *
   * @param exchange whose body has been read
   * @param job whose events
   * @param call says after which steps a preview is shown
   */
  JobEvents(Exchange exchange, ImageJob job, ImageCall call) throws IOException {
    stream = exchange.events();
    watch = exchange.watch(() -> queue.add(Optional.empty()));
    subscription = job.listen(event -> queue.add(Optional.of(event)), call::showsAfter);
    try {
      stream.comment(); // so that the client has its headers
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  /** The next event, however long it takes. */
  JobEvent next() throws IOException {
    while (true) {
      try {
        Optional<JobEvent> event = queue.poll(PAUSE_SECONDS, TimeUnit.SECONDS);
        if (event == null) {
          stream.comment();
        } else {
          return event.orElseThrow(ClientGoneException::new);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("the server stops", e);
      }
    }
  }

  void send(String name, Map<String, ?> data) throws IOException {
    stream.send(name, data);
  }

  /** Completes the answer. */
  void end() throws IOException {
    watch.close();
    stream.end();
  }

  @Override
  public void close() {
    subscription.close();
    watch.close();
  }
}
