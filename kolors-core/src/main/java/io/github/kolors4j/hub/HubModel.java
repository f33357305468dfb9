package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * A checkpoint by its name, and how to come by it: the arguments that diffusers' {@code
 * from_pretrained} has for this. A value; each method gives a changed one.
 *
 * {@snippet :
 * HubModel kolors =
 *     HubModel.of("Kwai-Kolors/Kolors-diffusers").cacheDirectory(Path.of("/models")).offline(true);
 * }
 */
public final class HubModel {
  private final RepoRevision revision;
  private final UnaryOperator<HubEnvironment> environment;
  private final PullListener listener;
  private final BooleanSupplier cancelled;

  private HubModel(
      RepoRevision revision,
      UnaryOperator<HubEnvironment> environment,
      PullListener listener,
      BooleanSupplier cancelled) {
    this.revision = revision;
    this.environment = environment;
    this.listener = listener;
    this.cancelled = cancelled;
  }

  /**
   * A checkpoint by its name.
   *
   * @param repository {@code owner/name} or {@code owner/name@revision}, also after {@code
   *     modelscope://}
   * @return the newest state of it, in Python's cache
   * @throws IllegalArgumentException if it can be no name
   */
  public static HubModel of(String repository) {
    return new HubModel(
        RepoRevision.parse(repository), UnaryOperator.identity(), PullListener.NONE, () -> false);
  }

  private HubModel with(UnaryOperator<HubEnvironment> change) {
    return new HubModel(revision, env -> change.apply(environment.apply(env)), listener, cancelled);
  }

  /**
   * As it was or is at a branch, a tag or a commit.
   *
   * @param revision the name, or the 40 digits
   * @return the changed value
   * @throws IllegalArgumentException if it can be no revision
   */
  public HubModel revision(String revision) {
    return new HubModel(
        new RepoRevision(this.revision.repo(), revision), environment, listener, cancelled);
  }

  /**
   * Keeps the files elsewhere than in {@code HF_HUB_CACHE}.
   *
   * @param folder which need not exist
   * @return the changed value
   */
  public HubModel cacheDirectory(Path folder) {
    Objects.requireNonNull(folder, "folder");
    return with(env -> env.withCache(folder));
  }

  /**
   * Asks with this token instead of that of {@code HF_TOKEN}.
   *
   * @param token as the hub gave it
   * @return the changed value
   * @throws IllegalArgumentException if it can be no token
   */
  public HubModel token(String token) {
    AccessToken read = AccessToken.of(token);
    return with(env -> env.withToken(read));
  }

  /**
   * Uses the cache alone, as Python's {@code local_files_only}.
   *
   * @param offline whether the network is not to be used
   * @return the changed value
   */
  public HubModel offline(boolean offline) {
    return with(env -> env.withOffline(offline));
  }

  /**
   * Shows how far a download is.
   *
   * @param listener called on the thread that opens the checkpoint
   * @return the changed value
   */
  public HubModel listener(PullListener listener) {
    return new HubModel(
        revision, environment, Objects.requireNonNull(listener, "listener"), cancelled);
  }

  /**
   * Lets a download be ended.
   *
   * @param cancelled asked some times a second, from several threads; a {@code CancellationToken}'s
   *     {@code isCancelled} fits
   * @return the changed value
   */
  public HubModel cancelledBy(BooleanSupplier cancelled) {
    return new HubModel(
        revision, environment, listener, Objects.requireNonNull(cancelled, "cancelled"));
  }

  /**
   * Brings the checkpoint into the cache, or finds it there.
   *
   * @param variant which copy of the weights
   * @return its folder, in diffusers' layout
   * @throws HubException if it cannot be had; the message says what to do
   * @throws IOException if the cache cannot be read or written
   * @throws java.util.concurrent.CancellationException if it was cancelled or the thread
   *     interrupted
   */
  public Path snapshot(Variant variant) throws IOException {
    return new HubClient(environment.apply(HubEnvironment.current()))
        .cancelledBy(cancelled)
        .snapshot(revision, variant, listener);
  }

  /** Repository and revision. */
  @Override
  public String toString() {
    return revision.toString();
  }
}
