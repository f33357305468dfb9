package io.github.kolors4j;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
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

/**
 * The open parts of a checkpoint and the threads that compute with them, shared by the pipelines
 * that were derived from one another.
 *
 * <p>The weights are mapped files: whoever computes with them does so inside {@link #use}, and
 * {@link #close} waits for him, so that nothing is unmapped under anyone's feet.
 */
final class Components implements AutoCloseable {
  private static final int RGB = 3;

  private final Parts parts;
  private final Scheduler scheduler;
  private final Deque<Runnable> closers;

  private final ReentrantReadWriteLock inUse = new ReentrantReadWriteLock();
  private volatile boolean closed;

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
      ThreadPool threads) {}

  private Components(Parts parts, Scheduler scheduler, Deque<Runnable> closers) {
    this.parts = parts;
    this.scheduler = scheduler;
    this.closers = closers;
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
      checkThatTheyFit(textEncoder.config(), unet.config(), vae.config());
      ThreadPool threads = new ThreadPool(threadCount);
      closers.push(threads::close);
      Parts parts =
          new Parts(tokenizer, textEncoder, unet, vae, index.forceZerosForEmptyPrompt(), threads);
      return new Components(parts, scheduler, closers);
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
      throws KolorsException {
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
      throw new KolorsException(
          "[config] vae/config.json: out_channels is %d; only %d, red, green and blue, make a picture."
              .formatted(vae.outChannels(), RGB));
    }
  }

  private static void checkEqual(String unetKey, int ofUnet, String key, int value)
      throws KolorsException {
    if (ofUnet != value) {
      throw new KolorsException(
          "[config] unet/config.json: %s is %d, and %s/config.json has %s %d: they must be equal."
              .formatted(
                  unetKey, ofUnet, key.equals("hidden_size") ? "text_encoder" : "vae", key, value));
    }
  }

  /** The checkpoint's own scheduler. */
  Scheduler scheduler() {
    return scheduler;
  }

  /** For what reads no weights. */
  Parts parts() {
    return parts;
  }

  /** Computes something, while nobody can close. */
  <T> T use(Supplier<T> computation) {
    inUse.readLock().lock();
    try {
      checkOpen();
      return computation.get();
    } finally {
      inUse.readLock().unlock();
    }
  }

  void checkOpen() {
    if (closed) {
      throw new IllegalStateException(
          "[pipeline] is closed: its weights are unmapped. Open the checkpoint again.");
    }
  }

  /** Refuses new requests, waits for those that run, then unmaps. */
  @Override
  public void close() {
    if (inUse.getReadHoldCount() > 0) {
      throw new IllegalStateException(
          "[pipeline] close was called from a callback of a request that is running: cancel the"
              + " request there, and close when generate has returned.");
    }
    closed = true;
    inUse.writeLock().lock();
    try {
      while (!closers.isEmpty()) {
        closers.pop().run();
      }
    } finally {
      inUse.writeLock().unlock();
    }
  }
}
