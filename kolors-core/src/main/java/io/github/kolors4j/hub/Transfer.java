package io.github.kolors4j.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the contents of a plan into the cache: several ranges at once, in the order of the files,
 * so that the first ones are complete and hashed while the last are on their way.
 *
 * <p>A hash takes the bytes in their order. The range at its front is hashed while its bytes are at
 * hand; those that came before their turn are read again, from the system's cache as a rule.
 */
final class Transfer {
  private static final Logger LOG = LoggerFactory.getLogger(Transfer.class);

  /** One connection rarely has all of the line; more than these get no more of it. */
  private static final int CONNECTIONS = 8;

  /** As many read what comes without mostly waiting for it, and two contents come at once. */
  private static final int ALWAYS_CONNECTIONS =
      Math.clamp(Runtime.getRuntime().availableProcessors(), 2, CONNECTIONS);

  private static final long TICK_MILLIS = 200;

  /** Another process is looked after less often than that would cost. */
  private static final long BUSY_MILLIS = 100;

  /** A hash is the work of one thread, and on a fast line the longest. */
  private static final int CONTENTS_AT_ONCE = 2;

  private static final int HASH_BUFFER_BYTES = 256 << 10;

  /** In the cache of a core when they are hashed, and worth waking up for. */
  private static final int GATHERED_BYTES = 512 << 10;

  /** Bytes that are wrong once may have met a bad moment; twice, it is the file. */
  private static final int HASH_ATTEMPTS = 2;

  /** Directories, links and what else is small. */
  private static final long SPARE_BYTES = 16 << 20;

  private final PullPlan plan;
  private final HubCache cache;
  private final PullListener listener;
  private final long rangeBytes;
  private final Path blobs;

  private final AtomicLong bytesDone = new AtomicLong();
  private final AtomicLong bytesFetched = new AtomicLong();
  private final AtomicInteger filesDone = new AtomicInteger();
  private final Deque<Pending> pending = new ArrayDeque<>();
  private final List<BlobTransfer> active = new ArrayList<>();
  private final Pace pace = new Pace();
  private final Map<String, Integer> filesOf = new HashMap<>();
  private volatile @Nullable Throwable failure;

  Transfer(PullPlan plan, HubCache cache, PullListener listener, long rangeBytes) {
    this.plan = plan;
    this.cache = cache;
    this.listener = listener;
    this.rangeBytes = rangeBytes;
    this.blobs = cache.blobs(plan.listing().revision().repo());
  }

  /** Whether the requests of this transfer should end. */
  boolean failed() {
    return failure != null;
  }

  /** Fetches what is missing; without any of that, no connection is made and nobody is told. */
  void run(Http http, ModelHost host) throws IOException {
    Map<String, RepoFile> missing = new LinkedHashMap<>();
    for (RepoFile file : plan.files()) {
      filesOf.merge(file.etag(), 1, Integer::sum);
      if (cache.has(plan.listing(), file)) {
        count(file, 1);
      } else {
        missing.put(file.etag(), file);
      }
    }
    if (missing.isEmpty()) {
      return;
    }
    long toFetch = 0;
    for (RepoFile file : missing.values()) {
      toFetch += file.size() - PartialBlob.bytesLeft(blobs, file);
      pending.add(new Pending(file, 0));
    }
    requireSpace(toFetch);
    listener.onBegin(plan, toFetch);
    cache.prepare(plan.listing().revision().repo());
    work(http, host);
  }

  /** A content's bytes count for each file that has it. */
  private void count(RepoFile file, int files) {
    filesDone.addAndGet(files);
    bytesDone.addAndGet(files * file.size());
  }

  private void requireSpace(long bytes) throws IOException {
    Path existing = cache.root();
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    long free = Files.getFileStore(existing).getUsableSpace();
    if (bytes + SPARE_BYTES > free) {
      throw new HubException(
          HubException.Reason.DISK,
          String.format(
              Locale.ROOT,
              "[hub] %s needs %.2f GB more and %s has %.2f GB free: make room, or set HF_HUB_CACHE"
                  + " to a folder on another disk.",
              plan.listing().revision(),
              bytes / 1e9,
              cache.root(),
              free / 1e9));
    }
  }

  private void work(Http http, ModelHost host) throws IOException {
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS; i++) {
      workers.add(
          Thread.ofPlatform()
              .daemon()
              .name("kolors-hub-" + i)
              .start(() -> untilFailure(() -> fetchAll(http, host))));
    }
    try {
      Rate rate = new Rate();
      for (Thread worker : workers) {
        while (!worker.join(Duration.ofMillis(TICK_MILLIS))) {
          http.checkCancelled();
          listener.onProgress(progress(rate));
        }
      }
      if (failure == null) {
        listener.onProgress(progress(rate));
      }
    } catch (InterruptedException e) {
      fail(e);
      Thread.currentThread().interrupt();
      throw interrupted();
    } catch (RuntimeException | Error e) {
      fail(e); // unless a worker has failed, which looks like a cancelled pull from here
    } finally {
      end(workers);
    }
    rethrow();
  }

  static CancellationException interrupted() {
    return new CancellationException(
        "[hub] the pull was interrupted. What is there is kept, and the next pull goes on");
  }

  private void rethrow() throws IOException {
    switch (failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IOException(failure);
    }
  }

  /** Waits for the workers, which have noticed, and lets go of the partial files. */
  private void end(List<Thread> workers) throws IOException {
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    for (BlobTransfer transfer : active) {
      transfer.blob.close();
    }
  }

  /** A part of a worker's work. */
  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private void untilFailure(Work work) {
    try {
      work.run();
    } catch (Throwable e) { // whatever it is, the caller's thread throws it
      fail(e);
    }
  }

  private synchronized void fail(Throwable e) {
    if (failure == null) {
      failure = e;
    }
    notifyAll();
  }

  private PullProgress progress(Rate rate) {
    long left = plan.bytes() - bytesDone.get();
    double bytesPerSecond = rate.of(bytesFetched.get());
    return new PullProgress(
        plan.files().size(),
        filesDone.get(),
        plan.bytes(),
        bytesDone.get(),
        bytesFetched.get(),
        bytesPerSecond,
        rate.timeLeft(left));
  }

  private void fetchAll(Http http, ModelHost host) throws IOException, InterruptedException {
    while (true) {
      Range range = nextRange();
      if (range == null) {
        return;
      }
      BlobTransfer transfer = range.transfer();
      if (range.number() != Range.NONE) {
        fetch(range, http, host);
      }
      if (transfer.hash()) {
        finish(transfer);
      } else {
        transfer.settle();
      }
    }
  }

  /** A range of a content for one worker; {@link #NONE} where only the hash is to be finished. */
  private record Range(BlobTransfer transfer, int number) {
    static final int NONE = -1;
  }

  /** A content that nobody of this transfer is at, and how often it came with another hash. */
  private record Pending(RepoFile file, int failures) {}

  /** What comes next; null at the end, or when something has failed. */
  private synchronized @Nullable Range nextRange() throws IOException, InterruptedException {
    while (failure == null) {
      List<BlobTransfer> open = active.stream().filter(BlobTransfer::hasNext).toList();
      Range begun = open.size() < CONTENTS_AT_ONCE ? begin() : null;
      if (begun != null) {
        return begun;
      }
      if (!open.isEmpty() && mayConnect()) {
        return Collections.min(open, Comparator.comparingInt(BlobTransfer::connections)).next();
      }
      if (pending.isEmpty() && active.isEmpty()) {
        return null;
      }
      wait(BUSY_MILLIS); // for another worker to give back a range, or for another process
    }
    return null;
  }

  private boolean mayConnect() {
    return pace.connections() < ALWAYS_CONNECTIONS || pace.hasRoom(System.nanoTime());
  }

  /** Begins the next content that no other process is bringing. */
  private @Nullable Range begin() throws IOException {
    for (int i = pending.size(); i > 0; i--) {
      Pending next = pending.removeFirst();
      RepoFile file = next.file();
      if (cache.has(plan.listing(), file)) {
        count(file, filesOf(file));
        continue;
      }
      Optional<PartialBlob> blob = PartialBlob.claim(blobs, file, rangeBytes);
      if (blob.isEmpty()) {
        pending.addLast(next);
        continue;
      }
      if (cache.has(plan.listing(), file)) { // finished in between
        blob.get().discard();
        count(file, filesOf(file));
        continue;
      }
      BlobTransfer transfer = new BlobTransfer(next, blob.get());
      active.add(transfer);
      bytesDone.addAndGet(blob.get().bytes());
      return transfer.hasNext() ? transfer.next() : new Range(transfer, Range.NONE);
    }
    return null;
  }

  private int filesOf(RepoFile file) {
    return filesOf.getOrDefault(file.etag(), 0);
  }

  private void fetch(Range range, Http http, ModelHost host)
      throws IOException, InterruptedException {
    BlobTransfer transfer = range.transfer();
    PartialBlob blob = transfer.blob;
    Http.Patience patience = http.patience();
    URI address = host.address(plan.listing(), transfer.file);
    try {
      while (!blob.isComplete(range.number())) {
        long before = blob.bytes();
        try (RangeBody body = body(range)) {
          // always by the hub's own address: what it redirects to holds for an hour at most
          Http.Answer<RangeBody.Outcome> answer =
              http.send(address, Optional.of(body.header()), body);
          switch (answer.body()) {
            case TAKEN -> {}
            case NOT_NEEDED -> {
              return;
            }
            case REFUSED -> refused(answer, http, host);
          }
        } catch (HubException e) {
          throw e;
        } catch (IOException e) {
          if (blob.bytes() > before) {
            patience.progress();
          }
          patience.failed(address, e);
        }
      }
    } finally {
      transfer.giveBack(range.number());
    }
  }

  private RangeBody body(Range range) {
    BlobTransfer transfer = range.transfer();
    PartialBlob blob = transfer.blob;
    return new RangeBody(
        transfer.file,
        blob.next(range.number()),
        blob.end(range.number()),
        gatheredBytes(),
        new RangeBody.Taker() {
          @Override
          public boolean mayTakeWhole() {
            return transfer.takeWhole(range.number());
          }

          @Override
          public void take(long position, ByteBuffer bytes) throws IOException {
            long begin = System.nanoTime();
            long added = blob.write(position, bytes.duplicate());
            bytesDone.addAndGet(added);
            bytesFetched.addAndGet(added);
            if (added == bytes.remaining()) { // else the file has others
              transfer.hash(position, bytes);
            }
            pace.busy(System.nanoTime() - begin);
          }
        });
  }

  /** All that a kill finds unwritten is less than a range. */
  private int gatheredBytes() {
    return Math.clamp(rangeBytes / (2 * CONNECTIONS), 1, GATHERED_BYTES);
  }

  private void refused(Http.Answer<RangeBody.Outcome> answer, Http http, ModelHost host)
      throws IOException {
    Http.requireNotPassing(answer);
    if (!http.isOwn(answer.uri())) {
      throw new Http.Transient(
          HubException.Reason.UNREACHABLE,
          "the server that keeps the file answers " + answer.status(),
          Optional.empty());
    }
    throw host.refused(
        plan.listing().revision(),
        new Http.Answer<>(answer.status(), answer.headers(), answer.uri(), new byte[0]));
  }

  /** A content is complete and its hash is known. */
  private void finish(BlobTransfer transfer) throws IOException {
    RepoFile file = transfer.file;
    int failures = transfer.failures;
    boolean right = transfer.hash.matches();
    if (right) {
      transfer.blob.publish(blobs.resolve(file.etag()));
      filesDone.addAndGet(filesOf(file));
      bytesDone.addAndGet((filesOf(file) - 1) * file.size());
    } else {
      bytesDone.addAndGet(-file.size());
      transfer.blob.discard();
      failures++;
      LOG.warn("[hub] {} came with another hash than the listing has", file.path());
      if (failures == HASH_ATTEMPTS) {
        throw new HubException(
            HubException.Reason.DAMAGED,
            "[hub] %s came %s times with another hash than the listing has: it was deleted. Pull again later, or from another HF_ENDPOINT."
                .formatted(file.path(), HASH_ATTEMPTS));
      }
    }
    synchronized (this) {
      active.remove(transfer);
      if (!right) {
        pending.addFirst(new Pending(file, failures));
      }
      notifyAll();
    }
  }

  /** One content on its way. */
  private final class BlobTransfer {
    private final RepoFile file;
    private final int failures;
    private final PartialBlob blob;

    /** Which ranges a worker is at, and who takes all of them at once; in the transfer's lock. */
    private final boolean[] taken;

    private int whole = Range.NONE;

    private final ReentrantLock settling = new ReentrantLock();
    private final ReentrantLock hashing = new ReentrantLock();
    private final ContentHash hash;
    private final ByteBuffer again;

    /** How many bytes; written with the lock. */
    private volatile long hashed;

    private volatile boolean finished;

    private BlobTransfer(Pending pending, PartialBlob blob) {
      this.file = pending.file();
      this.failures = pending.failures();
      this.blob = blob;
      this.taken = new boolean[blob.ranges()];
      this.hash = ContentHash.of(file.etag(), file.size());
      this.again = ByteBuffer.allocateDirect((int) Math.min(file.size(), HASH_BUFFER_BYTES));
    }

    private boolean hasNext() {
      return free() < taken.length;
    }

    /** The first range that is not there and that nobody is at. */
    private Range next() {
      int range = free();
      taken[range] = true;
      pace.opened(System.nanoTime());
      return new Range(this, range);
    }

    private int free() {
      int range = whole == Range.NONE ? 0 : taken.length;
      while (range < taken.length && (taken[range] || blob.isComplete(range))) {
        range++;
      }
      return range;
    }

    private int connections() {
      int connections = 0;
      for (boolean each : taken) {
        connections += each ? 1 : 0;
      }
      return connections;
    }

    /** True for the one worker that takes the whole file, where there are no ranges to be had. */
    private boolean takeWhole(int range) {
      synchronized (Transfer.this) {
        if (whole == Range.NONE) {
          whole = range;
        }
        return whole == range;
      }
    }

    private void giveBack(int range) {
      synchronized (Transfer.this) {
        taken[range] = false;
        pace.closed(System.nanoTime());
        if (whole == range) {
          whole = Range.NONE;
        }
        Transfer.this.notifyAll();
      }
    }

    /** Lets the disk write what is there while more comes. One worker waits for it. */
    private void settle() throws IOException {
      if (settling.tryLock()) {
        try {
          blob.settle();
        } finally {
          settling.unlock();
        }
      }
    }

    /**
     * Hashes bytes that are in the file and still at hand, if it is the turn of their range.
     * Another worker may be at the hash: then it comes to them.
     */
    private void hash(long position, ByteBuffer bytes) throws IOException {
      if (!hashing.tryLock()) {
        return;
      }
      try {
        if (hashed >= blob.rangeOf(position) && hashed <= position) {
          hashUpTo(position);
          int count = bytes.remaining();
          hash.update(bytes);
          hashed = position + count;
        }
      } finally {
        hashing.unlock();
      }
    }

    private void hashUpTo(long end) throws IOException {
      blob.hash(hashed, end, hash, again);
      hashed = end;
    }

    /**
     * Hashes what is there up to the first gap. One worker does it, the others go on fetching.
     *
     * @return true for the one worker that came to the end
     */
    private boolean hash() throws IOException {
      while (hasMore()) {
        if (!hashing.tryLock()) {
          return false; // who has it looks again after letting go, at the latest after its range
        }
        try {
          while (hasMore() && hashed < file.size()) {
            hashUpTo(blob.front(hashed));
          }
          if (hashed == file.size() && !finished) {
            finished = true;
            return true;
          }
        } finally {
          hashing.unlock();
        }
      }
      return false;
    }

    /** Also where all is hashed and nobody has said so, as a content without bytes. */
    private boolean hasMore() {
      return failure == null && !finished && (hashed == file.size() || blob.front(hashed) > hashed);
    }
  }
}
