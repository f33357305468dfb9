package io.github.kolors4j.hub;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the bytes of a range to where they belong, while they come. A server that knows no ranges
 * sends all of the file, which is taken as well, by one request at a time.
 *
 * <p>The JDK hands over 16 KB at a time, and a write of so little, with its line in the ledger,
 * costs more than the bytes do: they are gathered first. Whatever ends the answer, {@link #close}
 * writes what is gathered.
 */
final class RangeBody implements Http.Body<RangeBody.Outcome>, AutoCloseable {
  private static final int OK = 200;
  private static final int PARTIAL_CONTENT = 206;

  private final PartialBlob blob;
  private final ByteBuffer gathered;
  private final RepoFile file;
  private final long from;
  private final long to;
  private final BooleanSupplier mayTakeWhole;
  private final LongConsumer added;
  private volatile long lastProgress = System.nanoTime();

  /** Of the last answer; those before it were redirections. */
  private volatile @Nullable Sink sink;

  /** What became of the answer's body. */
  enum Outcome {
    /** Its bytes are where they belong. */
    TAKEN,
    /** It is all of a file that another request is bringing already. */
    NOT_NEEDED,
    /** The status says that it is no part of the file. */
    REFUSED
  }

  /**
   * Bytes {@code from} to {@code to}, exclusive.
   *
   * @param buffer for the bytes between two writes; the body's own until it is closed
   * @param mayTakeWhole asked when the server sends the whole file instead
   * @param added is told of new bytes
   */
  RangeBody(
      PartialBlob blob,
      RepoFile file,
      long from,
      long to,
      ByteBuffer buffer,
      BooleanSupplier mayTakeWhole,
      LongConsumer added) {
    this.blob = blob;
    this.file = file;
    this.from = from;
    this.to = to;
    this.gathered = buffer;
    this.mayTakeWhole = mayTakeWhole;
    this.added = added;
  }

  /** As the header says it. */
  String header() {
    return "bytes=" + from + "-" + (to - 1);
  }

  @Override
  public long lastProgress() {
    return lastProgress;
  }

  @Override
  public HttpResponse.BodySubscriber<Outcome> apply(HttpResponse.ResponseInfo info) {
    return switch (info.statusCode()) {
      case PARTIAL_CONTENT -> {
        String expected = "bytes %s-%s/%s".formatted(from, to - 1, file.size());
        String range = info.headers().firstValue("Content-Range").orElse("(no range)");
        yield range.replace("/*", "/" + file.size()).equals(expected)
            ? bytes(from, to, info)
            : failed("sends %s instead of %s".formatted(range, expected));
      }
      case OK ->
          (from == 0 && to == file.size()) || mayTakeWhole.getAsBoolean()
              ? bytes(0, file.size(), info)
              : done(Outcome.NOT_NEEDED);
      default -> done(Outcome.REFUSED);
    };
  }

  private HttpResponse.BodySubscriber<Outcome> bytes(
      long begin, long end, HttpResponse.ResponseInfo info) {
    OptionalLong length = Http.length(info.headers());
    if (length.isPresent() && length.getAsLong() != end - begin) {
      return failed(String.format(Locale.ROOT, "sends %,d bytes", length.getAsLong()));
    }
    Sink taking = new Sink(begin, end);
    sink = taking;
    return taking;
  }

  private HttpResponse.BodySubscriber<Outcome> failed(String what) {
    HubException failure =
        new HubException(
            HubException.Reason.DAMAGED,
            String.format(
                Locale.ROOT,
                "[hub] %s has %,d bytes by the listing, and the server %s: was it replaced? Pull"
                    + " again later.",
                file.path(),
                file.size(),
                what));
    return new Sink(failure);
  }

  private static HttpResponse.BodySubscriber<Outcome> done(Outcome outcome) {
    return HttpResponse.BodySubscribers.replacing(outcome);
  }

  /** Nothing is taken from here on: an exchange that was given up may still bring bytes. */
  @Override
  public void close() throws HubException {
    Sink taking = sink;
    if (taking != null) {
      taking.close();
    }
  }

  /** Asks for more when what came is in the buffer or on the disk, which so sets the pace. */
  private final class Sink implements HttpResponse.BodySubscriber<Outcome> {
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private final long end;
    private long position;
    private boolean closed;
    private Flow.@Nullable Subscription subscription;

    private Sink(long begin, long end) {
      this.position = begin;
      this.end = end;
    }

    private Sink(HubException failure) {
      this(0, 0);
      outcome.completeExceptionally(failure);
    }

    @Override
    public CompletionStage<Outcome> getBody() {
      return outcome;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      this.subscription = subscription;
      if (outcome.isDone()) {
        subscription.cancel();
      } else {
        subscription.request(1);
      }
    }

    @Override
    public synchronized void onNext(List<ByteBuffer> buffers) {
      if (closed || outcome.isDone()) {
        return;
      }
      lastProgress = System.nanoTime();
      try {
        for (ByteBuffer buffer : buffers) {
          take(buffer);
        }
        Objects.requireNonNull(subscription).request(1);
      } catch (HubException e) {
        fail(e);
      }
    }

    private void take(ByteBuffer bytes) throws HubException {
      if (bytes.remaining() > end - position - gathered.position()) {
        throw new HubException(
            HubException.Reason.DAMAGED,
            String.format(
                Locale.ROOT,
                "[hub] %s: the server sends more than the %,d bytes of the listing. Pull again"
                    + " later.",
                file.path(),
                file.size()));
      }
      while (bytes.hasRemaining()) {
        int piece = Math.min(bytes.remaining(), gathered.remaining());
        gathered.put(bytes.slice(bytes.position(), piece));
        bytes.position(bytes.position() + piece);
        if (!gathered.hasRemaining()) {
          write();
        }
      }
    }

    private void write() throws HubException {
      int count = gathered.flip().remaining();
      try {
        added.accept(blob.write(position, gathered));
      } finally {
        gathered.clear();
      }
      position += count;
    }

    private synchronized void close() throws HubException {
      if (!closed) {
        closed = true;
        write();
      }
    }

    private void fail(HubException failure) {
      Objects.requireNonNull(subscription).cancel();
      outcome.completeExceptionally(failure);
    }

    @Override
    public void onError(Throwable failure) {
      outcome.completeExceptionally(failure);
    }

    @Override
    public synchronized void onComplete() {
      try {
        close();
      } catch (HubException e) {
        outcome.completeExceptionally(e);
        return;
      }
      if (position == end) {
        outcome.complete(Outcome.TAKEN);
      } else {
        outcome.completeExceptionally(
            new IOException(
                String.format(Locale.ROOT, "the answer ended after %,d bytes", position)));
      }
    }
  }
}
