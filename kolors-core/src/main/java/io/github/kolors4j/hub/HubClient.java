package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings checkpoints into the cache.
 *
 * {@snippet :
 * HubClient hub = new HubClient(HubEnvironment.current());
 * RepoRevision kolors = RepoRevision.parse("Kwai-Kolors/Kolors-diffusers");
 * PullPlan plan = hub.plan(kolors, Variant.DEFAULT);
 * System.out.println(plan.listing().licence() + ", " + plan.bytes() + " bytes");
 * Path checkpoint = hub.pull(plan, PullListener.NONE);
 * }
 *
 * <p>A pull that was ended, by whatever it was, goes on where it stood. Each file is compared with
 * its size and hash before it gets its name. Python's {@code huggingface_hub} finds what was
 * pulled, and what it has fetched is not fetched again. Any number of pulls may run at once, in
 * this process and in others.
 *
 * <p>Immutable, and usable by several threads at once.
 */
public final class HubClient {
  private static final Logger LOG = LoggerFactory.getLogger(HubClient.class);

  /** Of a snapshot's file, whose hash is not asked for. */
  private static final String ANY_HASH = "0".repeat(40);

  private static final String WHOLE = "as a whole";

  private final HubEnvironment environment;
  private final Backoff backoff;
  private final long rangeBytes;
  private final BooleanSupplier cancelled;

  /**
   * A client.
   *
   * @param environment where the hub and the cache are
   */
  public HubClient(HubEnvironment environment) {
    this(environment, Backoff.STANDARD, PartialBlob.RANGE_BYTES, () -> false);
  }

  HubClient(
      HubEnvironment environment, Backoff backoff, long rangeBytes, BooleanSupplier cancelled) {
    this.environment = Objects.requireNonNull(environment, "environment");
    this.backoff = backoff;
    this.rangeBytes = rangeBytes;
    this.cancelled = cancelled;
  }

  /**
   * The same client, whose calls end with a {@link CancellationException} soon after something says
   * so. An interruption of the calling thread does the same.
   *
   * @param cancelled asked some times a second, from several threads
   * @return the client
   */
  public HubClient cancelledBy(BooleanSupplier cancelled) {
    return new HubClient(
        environment, backoff, rangeBytes, Objects.requireNonNull(cancelled, "cancelled"));
  }

  /**
   * Where the files are kept.
   *
   * @return the cache
   */
  public HubCache cache() {
    return environment.cache();
  }

  /**
   * What the hub has under a name. Nothing is written.
   *
   * @param revision repository and revision
   * @return all files, with the commit that the revision stands for now
   * @throws HubException if there is no such repository or revision, it may not be read, or the hub
   *     cannot be reached
   * @throws IOException if the connection fails otherwise
   * @throws CancellationException if it was cancelled or the thread interrupted
   */
  public RepoListing list(RepoRevision revision) throws IOException {
    try (Http http = http(revision, WHOLE, cancelled)) {
      return host(revision.repo(), http).list(revision);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  /**
   * Chooses the files of a pipeline, or of one component where the repository is one. Nothing is
   * written.
   *
   * @param revision repository and revision
   * @param variant which copy of the weights
   * @return the files
   * @throws HubException as {@link #list}, or if there is no checkpoint in it, or not in that
   *     variant
   * @throws IOException if the connection fails otherwise
   * @throws CancellationException if it was cancelled or the thread interrupted
   */
  public PullPlan plan(RepoRevision revision, Variant variant) throws IOException {
    String wanted = variant.orPlain() ? WHOLE : "with %s weights".formatted(named(variant));
    try (Http http = http(revision, wanted, cancelled)) {
      ModelHost host = host(revision.repo(), http);
      RepoListing listing = host.list(revision);
      Optional<RepoFile> index = listing.find(PullPlan.MODEL_INDEX);
      return index.isEmpty()
          ? PullPlan.of(listing, Optional.empty(), variant)
          : PullPlan.of(
              listing, Optional.of(modelIndex(listing, index.get(), http, host)), variant);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private Map<String, Object> modelIndex(
      RepoListing listing, RepoFile file, Http http, ModelHost host)
      throws IOException, InterruptedException {
    Http.Answer<byte[]> answer = http.text(host.address(listing, file));
    if (answer.status() != 200) {
      throw host.refused(listing.revision(), answer);
    }
    ContentHash hash = ContentHash.of(file.etag(), file.size());
    hash.update(ByteBuffer.wrap(answer.body()));
    if (!hash.matches()) {
      throw new HubException(
          HubException.Reason.DAMAGED,
          "[hub] %s of %s came with another hash than the listing has. Pull again later."
              .formatted(file.path(), listing.revision()));
    }
    return new JsonFile("hub", listing.revision() + "/" + file.path())
        .object(new String(answer.body(), StandardCharsets.UTF_8));
  }

  /**
   * Fetches what the cache does not have.
   *
   * @param plan the files
   * @param listener who watches
   * @return the folder of the revision in the cache, in diffusers' layout
   * @throws HubException if it cannot go on; what is there is kept
   * @throws IOException if the cache cannot be written
   * @throws CancellationException if it was cancelled or the thread interrupted; what is there is
   *     kept
   */
  public Path pull(PullPlan plan, PullListener listener) throws IOException {
    RepoId repo = plan.listing().revision().repo();
    Transfer transfer = new Transfer(plan, cache(), listener, rangeBytes);
    BooleanSupplier ended = () -> cancelled.getAsBoolean() || transfer.failed();
    try (Http http = http(plan.listing().revision(), WHOLE, ended)) {
      transfer.run(http, host(repo, http));
    }
    return cache().link(plan);
  }

  /**
   * Looks into the cache alone.
   *
   * @param revision repository and revision
   * @param variant which copy of the weights
   * @return the folder of the revision, if all that a pipeline opens is there
   * @throws IOException if the cache cannot be read
   */
  public Optional<Path> find(RepoRevision revision, Variant variant) throws IOException {
    Optional<Path> snapshot = cache().find(revision);
    return snapshot.isPresent() && isComplete(revision, snapshot.get(), variant)
        ? snapshot
        : Optional.empty();
  }

  /** By the same choice that a pull makes, of what is there: Python may have left some out. */
  private static boolean isComplete(RepoRevision revision, Path snapshot, Variant variant)
      throws IOException {
    List<RepoFile> files = new ArrayList<>();
    try (Stream<Path> all = Files.walk(snapshot)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        String path = snapshot.relativize(file).toString().replace('\\', '/');
        files.add(
            new RepoFile(path, Files.size(file), ANY_HASH, Optional.empty(), Optional.empty()));
      }
    }
    String commit = snapshot.getFileName().toString();
    RepoListing listing = new RepoListing(revision, commit, files, Licence.NONE_NAMED);
    try {
      Path index = snapshot.resolve(PullPlan.MODEL_INDEX);
      PullPlan.of(
          listing,
          Files.isRegularFile(index)
              ? Optional.of(
                  new JsonFile("hub", PullPlan.MODEL_INDEX)
                      .object(
                          new JsonFile("hub", index.toString())
                              .text(index, JsonFile.MAX_CONFIG_BYTES)))
              : Optional.empty(),
          variant);
      return true;
    } catch (HubException e) {
      LOG.info("{} is not complete: {}", snapshot, e.getMessage());
      return false;
    }
  }

  /**
   * The folder of a revision: from the hub what is new, or from the cache where the network is not
   * to be used or the hub does not answer, as Python's {@code from_pretrained} has it. A commit
   * that is in the cache is taken from there.
   *
   * @param revision repository and revision
   * @param variant which copy of the weights
   * @param listener who watches
   * @return the folder of the revision in the cache, in diffusers' layout
   * @throws HubException as {@link #plan} and {@link #pull}, or if it is not in the cache and the
   *     network is not to be used
   * @throws IOException if the cache cannot be read or written
   * @throws CancellationException if it was cancelled or the thread interrupted
   */
  public Path snapshot(RepoRevision revision, Variant variant, PullListener listener)
      throws IOException {
    Optional<Path> cached = find(revision, variant);
    if (cached.isPresent() && (environment.offline() || revision.isCommit())) {
      return cached.get();
    }
    PullPlan plan;
    try {
      plan = plan(revision, variant);
    } catch (HubException e) {
      if (cached.isEmpty() || !isAway(e)) {
        throw e;
      }
      LOG.warn("{} The files in the cache are used: {}", e.getMessage(), cached.get());
      return cached.get();
    }
    return pull(plan, listener);
  }

  private static boolean isAway(HubException e) {
    return e.reason() == HubException.Reason.UNREACHABLE
        || e.reason() == HubException.Reason.RATE_LIMITED;
  }

  private static String named(Variant variant) {
    return variant.name().isEmpty() ? "plain" : variant.name();
  }

  /** Refuses where there is to be no network, since the cache does not have what is wanted. */
  private Http http(RepoRevision revision, String wanted, BooleanSupplier ended)
      throws HubException {
    if (environment.offline()) {
      throw new HubException(
          HubException.Reason.OFFLINE,
          "[hub] %s is not in %s %s, and HF_HUB_OFFLINE forbids the network: unset it, or pull where there is one."
              .formatted(revision, cache().root(), wanted));
    }
    return new Http(
        environment.server(revision.repo().source()), environment.network(), backoff, ended);
  }

  private ModelHost host(RepoId repo, Http http) {
    return ModelHost.of(repo.source(), environment.server(repo.source()).endpoint(), http);
  }

  private static CancellationException interrupted() {
    Thread.currentThread().interrupt();
    return Transfer.interrupted();
  }
}
