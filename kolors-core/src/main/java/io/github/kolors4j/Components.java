package io.github.kolors4j;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
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
final class Components implements AutoCloseable {
  private static final int RGB = 3;

  private final ModelIndex index;
  private final Parts parts;
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

  /**
   * What requests compute with.
   *
   * @param forceZerosForEmptyPrompt as in {@link ModelIndex}
   */
  record Parts(
      ChatGlmTokenizer tokenizer,
      ChatGlmModel textEncoder,
      UNet2DConditionModel unet,
      AutoencoderKL vae,
      boolean forceZerosForEmptyPrompt,
      ThreadPool threads) {

    Parts with(ChatGlmTokenizer other) {
      return new Parts(other, textEncoder, unet, vae, forceZerosForEmptyPrompt, threads);
    }

    Parts with(ChatGlmModel other) {
      return new Parts(tokenizer, other, unet, vae, forceZerosForEmptyPrompt, threads);
    }

    Parts with(UNet2DConditionModel other) {
      return new Parts(tokenizer, textEncoder, other, vae, forceZerosForEmptyPrompt, threads);
    }

    Parts with(AutoencoderKL other) {
      return new Parts(tokenizer, textEncoder, unet, other, forceZerosForEmptyPrompt, threads);
    }

    void checkThatTheyFit() throws InvalidFileException {
      Components.checkThatTheyFit(textEncoder.config(), unet.config(), vae.config());
      int ids = tokenizer.vocabularySize();
      int rows = textEncoder.config().paddedVocabSize();
      if (ids > rows) {
        throw new InvalidFileException(
            "[config] the tokenizer has %d ids, and text_encoder/config.json has padded_vocab_size %d: there must be a row for each id."
                .formatted(ids, rows));
      }
    }
  }

  private Components(ModelIndex index, Parts parts, Scheduler scheduler, Lifetime lifetime) {
    this.index = index;
    this.parts = parts;
    this.scheduler = scheduler;
    this.lifetime = lifetime;
  }

  static Components open(Path directory, Optional<String> variant, int threadCount)
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
      Parts parts =
          new Parts(tokenizer, textEncoder, unet, vae, index.forceZerosForEmptyPrompt(), threads);
      parts.checkThatTheyFit();
      return new Components(index, parts, scheduler, new Lifetime(closers));
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

  /** Whether the components, each whole by itself, are of one model. */
  static void checkThatTheyFit(
      ChatGlmConfig textEncoder, UNet2DConditionConfig unet, AutoencoderKLConfig vae)
      throws InvalidFileException {
    int hidden = textEncoder.hiddenSize();
    checkEqual("encoder_hid_dim", unet.encoderHidDim(), "hidden_size", hidden);
    checkEqual(
        "projection_class_embeddings_input_dim less the six sizes",
        unet.textEmbedDim(),
        "hidden_size",
        hidden);
    int latent = vae.latentChannels();
    checkEqual("in_channels", unet.inChannels(), "latent_channels", latent);
    checkEqual("out_channels", unet.outChannels(), "latent_channels", latent);
    if (vae.outChannels() != RGB) {
      throw new InvalidFileException(
          "[config] vae/config.json: out_channels is %d; only %d, red, green and blue, make a picture."
              .formatted(vae.outChannels(), RGB));
    }
  }

  private static void checkEqual(String unetKey, int ofUnet, String key, int value)
      throws InvalidFileException {
    if (ofUnet != value) {
      throw new InvalidFileException(
          "[config] unet/config.json: %s is %d, and %s/config.json has %s %d: they must be equal."
              .formatted(
                  unetKey, ofUnet, key.equals("hidden_size") ? "text_encoder" : "vae", key, value));
    }
  }

  /** The checkpoint's own scheduler. */
  Scheduler scheduler() {
    return scheduler;
  }

  /**
   * The same with another component in the place of one, which nobody closes but the caller.
   *
   * @throws IllegalArgumentException if it does not fit to the others
   */
  Components with(UnaryOperator<Parts> replacement) {
    checkOpen();
    Parts replaced = replacement.apply(parts);
    try {
      replaced.checkThatTheyFit();
    } catch (InvalidFileException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return new Components(index, replaced, scheduler, lifetime);
  }

  /** Writes a checkpoint, while nobody can close. */
  void save(Path directory, Scheduler named, SaveOptions options) throws IOException {
    lifetime.inUse.readLock().lock();
    try {
      checkOpen();
      new CheckpointWriter(index, parts, named).write(directory, options);
    } finally {
      lifetime.inUse.readLock().unlock();
    }
  }

  /** For what reads no weights. */
  Parts parts() {
    return parts;
  }

  /** Computes something, while nobody can close. */
  <T> T use(Supplier<T> computation) {
    lifetime.inUse.readLock().lock();
    try {
      checkOpen();
      return computation.get();
    } finally {
      lifetime.inUse.readLock().unlock();
    }
  }

  void checkOpen() {
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
