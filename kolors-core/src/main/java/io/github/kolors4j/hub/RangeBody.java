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
 */
final class RangeBody implements Http.Body<RangeBody.Outcome> {
  private static final int OK = 200;
  private static final int PARTIAL_CONTENT = 206;

  private final PartialBlob blob;
  private final RepoFile file;
  private final long from;
  private final long to;
  private final BooleanSupplier mayTakeWhole;
  private final LongConsumer added;
  private volatile long lastProgress = System.nanoTime();

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
   * @param mayTakeWhole asked when the server sends the whole file instead
   * @param added is told of new bytes
   */
  RangeBody(
      PartialBlob blob,
      RepoFile file,
      long from,
      long to,
      BooleanSupplier mayTakeWhole,
      LongConsumer added) {
    this.blob = blob;
    this.file = file;
    this.from = from;
    this.to = to;
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
    return length.isPresent() && length.getAsLong() != end - begin
        ? failed(String.format(Locale.ROOT, "sends %,d bytes", length.getAsLong()))
        : new Sink(begin, end);
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

  /** Writes each piece as it comes, so that the disk sets the pace of the network. */
  private final class Sink implements HttpResponse.BodySubscriber<Outcome> {
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private final long end;
    private long position;
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
    public void onNext(List<ByteBuffer> buffers) {
      if (outcome.isDone()) {
        return;
      }
      lastProgress = System.nanoTime();
      try {
        for (ByteBuffer buffer : buffers) {
          int count = buffer.remaining();
          if (count > end - position) {
            throw new HubException(
                HubException.Reason.DAMAGED,
                String.format(
                    Locale.ROOT,
                    "[hub] %s: the server sends more than the %,d bytes of the listing. Pull again"
                        + " later.",
                    file.path(),
                    file.size()));
          }
          added.accept(blob.write(position, buffer));
          position += count;
        }
        Objects.requireNonNull(subscription).request(1);
      } catch (HubException e) {
        fail(e);
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
    public void onComplete() {
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
