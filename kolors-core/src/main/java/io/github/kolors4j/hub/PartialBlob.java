package io.github.kolors4j.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * A content while it is fetched, in ranges of which each may be at another point.
 *
 * <p>The file is as long as the content and some more: behind the content it keeps a ledger of how
 * much of each range is there, which is written after the bytes that it counts. So a process that
 * is killed loses what it had not written, and the next one goes on from the ledger. A ledger that
 * a power failure let run ahead of the bytes is found out by the hash at the end.
 *
 * <p>A process holds a lock on the file that it writes, which the system drops when the process
 * ends, in whatever way: a partial file without a lock is nobody's and may be taken over. Its name
 * ends as those of Python's do, so that {@code hf cache prune} clears it away. Where locks do not
 * work, each process writes a file of its own.
 */
final class PartialBlob implements AutoCloseable {
  /** A request of this size takes longer than to ask for it, and is soon fetched again. */
  static final long RANGE_BYTES = 64L << 20;

  /**
   * For a larger write Linux looks for pages in one piece. Where free memory has gone back to the
   * host of a virtual machine that took 3 s more for 2 GB with 128 KB and 256 KB (docs/hub.md).
   */
  private static final int WRITE_BYTES = 64 << 10;

  private static final String OURS = ".k4j-";
  private static final String SUFFIX = ".incomplete";
  private static final long MAGIC = 0x4b344a5041525431L; // K4JPART1
  private static final int HEAD_BYTES = 3 * Long.BYTES;

  /**
   * The files of this process with the bytes that are there. A process loses its lock when it
   * closes the file anywhere, so that it must not open one a second time.
   */
  private static final Map<Path, LongSupplier> AT_WORK = new ConcurrentHashMap<>();

  private final Path path;
  private final Locked locked;
  private final FileChannel channel;
  private final RepoFile file;
  private final long rangeBytes;
  private final long[] written;

  private PartialBlob(Path path, Locked locked, RepoFile file, Ledger ledger) {
    this.path = path;
    this.locked = locked;
    this.channel = locked.channel();
    this.file = file;
    this.rangeBytes = ledger.rangeBytes();
    this.written = ledger.written();
    AT_WORK.put(path, this::bytes);
  }

  /** How much of each range is there. */
  private record Ledger(long rangeBytes, long[] written) {
    static Ledger empty(long size, long rangeBytes) {
      return new Ledger(rangeBytes, new long[Math.toIntExact(ranges(size, rangeBytes))]);
    }

    static long ranges(long size, long rangeBytes) {
      return (size + rangeBytes - 1) / rangeBytes;
    }

    /** Nothing where the file is none of ours, or was cut. */
    static Optional<Ledger> read(FileChannel channel, long size) throws IOException {
      if (channel.size() == size) { // it has been cut to get its name
        Ledger all = empty(size, RANGE_BYTES);
        Arrays.setAll(all.written, i -> length(i, size, RANGE_BYTES));
        return Optional.of(all);
      }
      ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
      if (!readFully(channel, head, size) || head.getLong() != MAGIC || head.getLong() != size) {
        return Optional.empty();
      }
      long rangeBytes = head.getLong();
      if (rangeBytes < 1 || ranges(size, rangeBytes) > Integer.MAX_VALUE / Long.BYTES) {
        return Optional.empty();
      }
      Ledger ledger = empty(size, rangeBytes);
      ByteBuffer counts = ByteBuffer.allocate(ledger.written.length * Long.BYTES);
      if (!readFully(channel, counts, size + HEAD_BYTES)) {
        return Optional.empty();
      }
      for (int i = 0; i < ledger.written.length; i++) {
        ledger.written[i] = counts.getLong();
        if (ledger.written[i] < 0 || ledger.written[i] > length(i, size, rangeBytes)) {
          return Optional.empty();
        }
      }
      return Optional.of(ledger);
    }

    void write(FileChannel channel, long size) throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(HEAD_BYTES + written.length * Long.BYTES);
      bytes.putLong(MAGIC).putLong(size).putLong(rangeBytes);
      for (long count : written) {
        bytes.putLong(count);
      }
      writeFully(channel, bytes.flip(), size);
    }

    static long length(int range, long size, long rangeBytes) {
      return Math.min(rangeBytes, size - range * rangeBytes);
    }

    long bytes() {
      long bytes = 0;
      for (long count : written) {
        bytes += count;
      }
      return bytes;
    }
  }

  /**
   * Goes on with what an ended process has left, or begins.
   *
   * @return nothing while another process, or another thread of this one, is at it
   */
  static Optional<PartialBlob> claim(Path blobs, RepoFile file, long rangeBytes)
      throws IOException {
    for (Path left : partials(blobs, file)) {
      if (AT_WORK.putIfAbsent(left, () -> 0) != null) {
        return Optional.empty();
      }
      Optional<PartialBlob> taken = Optional.empty();
      try {
        FileChannel channel =
            FileChannel.open(left, StandardOpenOption.READ, StandardOpenOption.WRITE);
        Lock lock = lock(channel);
        if (lock.held() == Held.OURS) {
          taken = taken(left, channel, lock, file);
        }
        if (taken.isEmpty()) {
          channel.close();
        }
        if (lock.held() == Held.THEIRS) {
          return Optional.empty();
        }
      } catch (NoSuchFileException _) {
        // finished, or cleared away
      } finally {
        if (taken.isEmpty()) {
          AT_WORK.remove(left);
        }
      }
      if (taken.isPresent()) {
        return taken;
      }
    }
    return create(blobs, file, rangeBytes);
  }

  /** What is of no use is deleted; who had the lock before may have given the file its name. */
  private static Optional<PartialBlob> taken(
      Path left, FileChannel channel, Lock lock, RepoFile file) throws IOException {
    if (!Files.exists(left)) {
      return Optional.empty();
    }
    Optional<Ledger> ledger = Ledger.read(channel, file.size());
    if (ledger.isEmpty()) {
      Files.deleteIfExists(left);
    }
    return ledger.map(found -> new PartialBlob(left, new Locked(channel, lock), file, found));
  }

  private static Optional<PartialBlob> create(Path blobs, RepoFile file, long rangeBytes)
      throws IOException {
    Path path = blobs.resolve(file.etag() + OURS + HubCache.unique() + SUFFIX);
    AT_WORK.put(path, () -> 0);
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    Lock lock = lock(channel);
    Ledger ledger = Ledger.empty(file.size(), rangeBytes);
    PartialBlob partial = new PartialBlob(path, new Locked(channel, lock), file, ledger);
    // Two that begin in the same moment see each other here, and both try again. Before the lock
    // one may have taken this one's file, still empty, for what an ended process has left.
    boolean other =
        lock.held() == Held.OURS && (!Files.exists(path) || partials(blobs, file).size() > 1);
    if (other || lock.held() == Held.THEIRS) {
      partial.discard();
      return Optional.empty();
    }
    try {
      ledger.write(channel, file.size());
    } catch (IOException e) {
      partial.discard();
      throw partial.unwritable(e);
    }
    return Optional.of(partial);
  }

  /** How much of a content there is, in the process that has most of it. */
  static long bytesLeft(Path blobs, RepoFile file) throws IOException {
    long most = 0;
    for (Path left : partials(blobs, file)) {
      LongSupplier own = AT_WORK.get(left);
      if (own != null) {
        most = Math.max(most, own.getAsLong());
        continue;
      }
      try (FileChannel channel = FileChannel.open(left)) {
        most = Math.max(most, Ledger.read(channel, file.size()).map(Ledger::bytes).orElse(0L));
      } catch (NoSuchFileException _) {
        // finished, or cleared away
      }
    }
    return most;
  }

  private static List<Path> partials(Path blobs, RepoFile file) throws IOException {
    if (!Files.isDirectory(blobs)) {
      return List.of();
    }
    List<Path> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(blobs)) {
      all.filter(
              path -> {
                String name = path.getFileName().toString();
                return name.startsWith(file.etag() + OURS) && name.endsWith(SUFFIX);
              })
          .sorted()
          .forEach(found::add);
    }
    return found;
  }

  private enum Held {
    OURS,
    THEIRS,
    NO_LOCKS
  }

  /** The JDK forgets a lock that nobody refers to. */
  private record Lock(Held held, Optional<FileLock> lock) {}

  private record Locked(FileChannel channel, Lock lock) {}

  /** On a byte that no file has, since Windows lets nobody else read what is locked. */
  private static Lock lock(FileChannel channel) {
    try {
      Optional<FileLock> lock = Optional.ofNullable(channel.tryLock(Long.MAX_VALUE - 1, 1, false));
      return new Lock(lock.isEmpty() ? Held.THEIRS : Held.OURS, lock);
    } catch (OverlappingFileLockException _) {
      return new Lock(Held.THEIRS, Optional.empty());
    } catch (IOException _) {
      return new Lock(Held.NO_LOCKS, Optional.empty());
    }
  }

  int ranges() {
    return written.length;
  }

  long begin(int range) {
    return range * rangeBytes;
  }

  long end(int range) {
    return begin(range) + Ledger.length(range, file.size(), rangeBytes);
  }

  /** Where the next byte of a range goes, its end where all are there. */
  long next(int range) {
    synchronized (written) {
      return begin(range) + written[range];
    }
  }

  boolean isComplete(int range) {
    return next(range) == end(range);
  }

  /** All bytes that are there. */
  long bytes() {
    synchronized (written) {
      return new Ledger(rangeBytes, written).bytes();
    }
  }

  /**
   * Takes bytes of the content, which may be of several ranges; those that are there already are
   * passed over.
   *
   * @return how many were new
   */
  long write(long position, ByteBuffer bytes) throws HubException {
    try {
      return fresh(position, bytes);
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  private long fresh(long position, ByteBuffer bytes) throws IOException {
    long added = 0;
    long at = position;
    while (bytes.hasRemaining()) {
      int range = Math.toIntExact(at / rangeBytes);
      int piece = (int) Math.min(bytes.remaining(), end(range) - at);
      int known = (int) Math.min(piece, next(range) - at);
      if (known < 0) {
        throw new IllegalStateException("bytes at " + at + " leave a gap in range " + range);
      }
      ByteBuffer fresh = bytes.slice(bytes.position() + known, piece - known);
      bytes.position(bytes.position() + piece);
      if (fresh.hasRemaining()) {
        added += fresh.remaining();
        writeFully(channel, fresh, at + known);
        advance(range, at + piece - begin(range));
      }
      at += piece;
    }
    return added;
  }

  /** Never back: an exchange that was given up may still bring bytes that another has brought. */
  private void advance(int range, long count) throws IOException {
    synchronized (written) {
      written[range] = Math.max(written[range], count);
      writeFully(
          channel,
          ByteBuffer.allocate(Long.BYTES).putLong(written[range]).flip(),
          file.size() + HEAD_BYTES + (long) range * Long.BYTES);
    }
  }

  /** How far the content goes on without a gap, from a place up to which it is there. */
  long front(long position) {
    return position == file.size()
        ? position
        : Math.max(position, next(Math.toIntExact(position / rangeBytes)));
  }

  /** Where the range of a byte begins. */
  long rangeOf(long position) {
    return position - position % rangeBytes;
  }

  /** Feeds bytes that are there to a hash. */
  void hash(long from, long to, ContentHash hash, ByteBuffer buffer) throws IOException {
    for (long at = from; at < to; ) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), to - at));
      if (!readFully(channel, buffer, at)) {
        throw new IOException(path + " was cut while it was read");
      }
      at += buffer.remaining();
      hash.update(buffer);
    }
  }

  /** Returns when the disk has what is there, so that there is less to wait for at the end. */
  void settle() throws HubException {
    try {
      channel.force(false);
    } catch (ClosedChannelException _) {
      // another worker has brought the rest and given the content its name
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  /** Gives the content its name. */
  void publish(Path name) throws IOException {
    try {
      channel.truncate(file.size());
      channel.force(true);
    } catch (IOException e) {
      throw unwritable(e);
    }
    HubCache.move(path, name);
    close();
  }

  /** Nothing of it is of use. */
  void discard() throws IOException {
    Files.deleteIfExists(path);
    close();
  }

  /** Leaves it for the next one. */
  @Override
  public void close() throws IOException {
    locked.channel().close();
    AT_WORK.remove(path);
  }

  private static boolean readFully(FileChannel channel, ByteBuffer bytes, long position)
      throws IOException {
    int start = bytes.position();
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, position + bytes.position() - start) < 0) {
        return false;
      }
    }
    bytes.flip();
    return true;
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes, long position)
      throws IOException {
    int start = bytes.position();
    int end = bytes.limit();
    while (bytes.position() < end) {
      bytes.limit(Math.min(end, bytes.position() + WRITE_BYTES));
      channel.write(bytes, position + bytes.position() - start);
    }
    bytes.limit(end);
  }

  private HubException unwritable(IOException e) {
    return new HubException(
        HubException.Reason.DISK,
        String.format(
            Locale.ROOT,
            "[hub] %s cannot be written to %s (%s): %,d bytes are to come. Make room, and pull"
                + " again: it goes on from here.",
            file.path(),
            path.getParent(),
            e.getMessage(),
            file.size() - bytes()),
        e);
  }
}
