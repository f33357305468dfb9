package io.github.kolors4j.components;

import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The open parts of a checkpoint and the threads that compute with them, shared by the pipelines
 * that were derived from one another.
 *
 * <p>The weights are mapped files: whoever computes with them does so inside {@link #use}, and
 * {@link #close} waits for him, so that nothing is unmapped under anyone's feet.
 */
public final class Checkpoint implements AutoCloseable {
  private final ModelIndex index;
  private final Components components;
  private final Scheduler scheduler;
  private final Lifetime lifetime;

  /** From opening to closing, for all that were derived from one another. */
  private static final class Lifetime {
    private final Deque<Runnable> closers;
    private final ReentrantReadWriteLock inUse = new ReentrantReadWriteLock();
    private volatile boolean closed;

    private Lifetime(Deque<Runnable> closers) {
      this.closers = closers;
    }
  }

  private Checkpoint(
      ModelIndex index, Components components, Scheduler scheduler, Lifetime lifetime) {
    this.index = index;
    this.components = components;
    this.scheduler = scheduler;
    this.lifetime = lifetime;
  }

  public static Checkpoint open(
      Path directory, Optional<String> variant, int threadCount, Precision precision)
      throws IOException {
    ModelIndex index = ModelIndex.read(directory);
    Scheduler scheduler = loadScheduler(directory.resolve("scheduler"), index);
    ChatGlmTokenizer tokenizer = ChatGlmTokenizer.load(directory.resolve("tokenizer"));

    Deque<Runnable> closers = new ArrayDeque<>();
    try {
      AutoencoderKL vae = AutoencoderKL.load(directory.resolve("vae"), variant);
      closers.push(vae::close);
      UNet2DConditionModel unet = UNet2DConditionModel.load(directory.resolve("unet"), variant);
      closers.push(unet::close);
      ChatGlmModel textEncoder = ChatGlmModel.load(directory.resolve("text_encoder"), variant);
      closers.push(textEncoder::close);
      ThreadPool threads = new ThreadPool(threadCount);
      closers.push(threads::close);
      Components components =
          new Components(
              tokenizer,
              textEncoder,
              unet,
              vae,
              index.forceZerosForEmptyPrompt(),
              threads,
              Products.of(precision));
      components.checkThatTheyFit();
      return new Checkpoint(index, components, scheduler, new Lifetime(closers));
    } catch (Throwable e) {
      closers.forEach(Runnable::run);
      throw e;
    }
  }

  /** As in diffusers, the index decides on the class where it and the scheduler's file differ. */
  private static Scheduler loadScheduler(Path folder, ModelIndex index) throws IOException {
    Scheduler scheduler = Schedulers.load(folder);
    return scheduler.className().equals(index.schedulerClass())
        ? scheduler
        : Schedulers.byName(index.schedulerClass()).fromConfig(scheduler.config(), Map.of());
  }

  /** The checkpoint's own scheduler. */
  public Scheduler scheduler() {
    return scheduler;
  }

  /**
   * The same with another component in the place of one, which nobody closes but the caller.
   *
   * @throws IllegalArgumentException if it does not fit to the others
   */
  public Checkpoint with(UnaryOperator<Components> replacement) {
    checkOpen();
    Components replaced = replacement.apply(components);
    try {
      replaced.checkThatTheyFit();
    } catch (InvalidFileException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return new Checkpoint(index, replaced, scheduler, lifetime);
  }

  /** Writes a checkpoint, while nobody can close. */
  public void save(Path directory, Scheduler named, SaveOptions options) throws IOException {
    lifetime.inUse.readLock().lock();
    try {
      checkOpen();
      new CheckpointWriter(index, components, named).write(directory, options);
    } finally {
      lifetime.inUse.readLock().unlock();
    }
  }

  /** For what reads no weights. */
  public Components components() {
    return components;
  }

  /** Computes something, while nobody can close. */
  public <T> T use(Supplier<T> computation) {
    lifetime.inUse.readLock().lock();
    try {
      checkOpen();
      return computation.get();
    } finally {
      lifetime.inUse.readLock().unlock();
    }
  }

  public void checkOpen() {
    if (lifetime.closed) {
      throw new IllegalStateException(
          "[pipeline] is closed: its weights are unmapped. Open the checkpoint again.");
    }
  }

  /** Refuses new requests, waits for those that run, then unmaps. */
  @Override
  public void close() {
    if (lifetime.inUse.getReadHoldCount() > 0) {
      throw new IllegalStateException(
          "[pipeline] close was called from a callback of a request that is running: cancel the"
              + " request there, and close when generate has returned.");
    }
    lifetime.closed = true;
    lifetime.inUse.writeLock().lock();
    try {
      while (!lifetime.closers.isEmpty()) {
        lifetime.closers.pop().run();
      }
    } finally {
      lifetime.inUse.writeLock().unlock();
    }
  }
}
