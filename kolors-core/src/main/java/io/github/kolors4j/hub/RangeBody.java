package io.github.kolors4j.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpHeaders;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * Takes the bytes of a range to where they belong, while they come. A server that knows no ranges
 * sends all of the file, which is taken as well, by one request at a time.
 *
 * <p>A write of a few kilobytes, with its line in the ledger, costs more than the bytes do: they
 * are gathered first. Whatever ends the answer, {@link #close} writes what is gathered.
 */
final class RangeBody implements Http.Body<RangeBody.Outcome>, AutoCloseable {
  private static final int OK = 200;
  private static final int PARTIAL_CONTENT = 206;

  private final RepoFile file;
  private final long from;
  private final long to;
  private final Taker taker;
  private volatile long lastProgress = System.nanoTime();

  /** Between two writes; beyond {@link #count} the reader's own, also when the body is closed. */
  private final byte[] gathered;

  private int count;
  private long position;
  private boolean closed;

  /** What became of the answer's body. */
  enum Outcome {
    /** Its bytes are where they belong. */
    TAKEN,
    /** It is all of a file that another request is bringing already. */
    NOT_NEEDED,
    /** The status says that it is no part of the file. */
    REFUSED
  }

  /** Who wants the bytes. */
  interface Taker {
    /** Asked when the server sends the whole file instead. */
    boolean mayTakeWhole();

    /**
     * Takes bytes of the file.
     *
     * @param position of the first one, in the file
     */
    void take(long position, ByteBuffer bytes) throws IOException;
  }

  /**
   * Bytes {@code from} to {@code to}, exclusive.
   *
   * @param gatheredBytes how many are gathered before they are taken
   */
  RangeBody(RepoFile file, long from, long to, int gatheredBytes, Taker taker) {
    this.file = file;
    this.from = from;
    this.to = to;
    this.taker = taker;
    this.gathered = new byte[gatheredBytes];
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
  public Outcome take(int status, HttpHeaders headers, InputStream bytes) throws IOException {
    return switch (status) {
      case PARTIAL_CONTENT -> {
        String expected = "bytes %s-%s/%s".formatted(from, to - 1, file.size());
        String range = headers.firstValue("Content-Range").orElse("(no range)");
        if (!range.replace("/*", "/" + file.size()).equals(expected)) {
          throw replaced("sends %s instead of %s".formatted(range, expected));
        }
        yield take(from, to, headers, bytes);
      }
      case OK ->
          (from == 0 && to == file.size()) || taker.mayTakeWhole()
              ? take(0, file.size(), headers, bytes)
              : Outcome.NOT_NEEDED;
      default -> Outcome.REFUSED;
    };
  }

  private HubException replaced(String what) {
    return new HubException(
        HubException.Reason.DAMAGED,
        String.format(
            Locale.ROOT,
            "[hub] %s has %,d bytes by the listing, and the server %s: was it replaced? Pull"
                + " again later.",
            file.path(),
            file.size(),
            what));
  }

  private Outcome take(long begin, long end, HttpHeaders headers, InputStream bytes)
      throws IOException {
    OptionalLong length = Http.length(headers);
    if (length.isPresent() && length.getAsLong() != end - begin) {
      throw replaced(String.format(Locale.ROOT, "sends %,d bytes", length.getAsLong()));
    }
    synchronized (this) {
      position = begin;
    }
    int at = 0;
    while (true) {
      int read = bytes.read(gathered, at, gathered.length - at); // blocks, so without the lock
      lastProgress = System.nanoTime();
      synchronized (this) {
        if (closed) {
          throw new IOException("the request was given up");
        }
        if (read < 0) {
          write();
          requireEnd(end);
          return Outcome.TAKEN;
        }
        if (position + count + read > end) {
          throw new HubException(
              HubException.Reason.DAMAGED,
              String.format(
                  Locale.ROOT,
                  "[hub] %s: the server sends more than the %,d bytes of the listing. Pull again"
                      + " later.",
                  file.path(),
                  file.size()));
        }
        count += read;
        if (count == gathered.length) {
          write();
        }
        at = count;
      }
    }
  }

  private void requireEnd(long end) throws IOException {
    if (position != end) {
      throw new IOException(
          String.format(Locale.ROOT, "the answer ended after %,d bytes", position));
    }
  }

  private void write() throws IOException {
    if (count == 0) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(gathered, 0, count);
    long at = position;
    position += count;
    count = 0;
    taker.take(at, bytes);
    lastProgress = System.nanoTime(); // a disk that is slow is no connection that stalls
  }

  /** Nothing is taken from here on: who was given up may still read what comes. */
  @Override
  public synchronized void close() throws IOException {
    if (!closed) {
      closed = true;
      write();
    }
  }
}
