package io.github.kolors4j.components;

import io.github.kolors4j.adapter.AdaptableModules;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.events.LoadEvent;
import io.github.kolors4j.metadata.ModelIdentity;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderTiny;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The open parts of a checkpoint and the threads that compute with them, shared by the pipelines
 * that were derived from one another.
 *
 * <p>The weights are mapped files: whoever computes with them does so inside {@link #use}, and
 * {@link #close} waits for him, so that nothing is unmapped under anyone's feet.
 */
public final class Checkpoint implements AutoCloseable {
  private final String name;
  private final ModelIndex index;
  private final Components components;
  private final Scheduler scheduler;
  private final Lifetime lifetime;

  /** Made when somebody asks, as it reads some of the weights. */
  private volatile @Nullable ModelIdentity identity;

  /** What {@link #adapted} was last asked for. */
  private @Nullable Adapted lastAdapted;

  private record Adapted(Adapters adapters, Components components) {}

  private Checkpoint(
      String name,
      ModelIndex index,
      Components components,
      Scheduler scheduler,
      Lifetime lifetime) {
    this.name = name;
    this.index = index;
    this.components = components;
    this.scheduler = scheduler;
    this.lifetime = lifetime;
  }

  /** Opens a checkpoint. */
  public static Checkpoint open(Path directory, OpenOptions options) throws IOException {
    LoadEvent event = new LoadEvent();
    event.begin();
    Optional<String> variant = options.variant();
    // A remembered prompt needs no text encoder.
    boolean textEncoderMayBeGone = options.promptCache().isPresent();
    ModelIndex index = ModelIndex.read(directory, textEncoderMayBeGone);
    Scheduler scheduler = loadScheduler(directory.resolve("scheduler"), index);
    ChatGlmTokenizer tokenizer = ChatGlmTokenizer.load(directory.resolve("tokenizer"));

    Deque<Runnable> closers = new ArrayDeque<>();
    try {
      SingleFiles files = options.singleFiles();
      Path ofVae = directory.resolve("vae");
      Optional<TinyVae> tinyVae = openTinyVae(options, closers);
      AutoencoderKL vae =
          files.vae().isPresent() && tinyVae.filter(TinyVae::replacesVae).isEmpty()
              ? AutoencoderKL.loadFile(ofVae, files.vae().get())
              : AutoencoderKL.load(ofVae, variant);
      closers.push(vae::close);
      Path ofUnet = directory.resolve("unet");
      UNet2DConditionModel unet =
          files.unet().isPresent()
              ? UNet2DConditionModel.loadFile(ofUnet, files.unet().get())
              : UNet2DConditionModel.load(ofUnet, variant);
      closers.push(unet::close);
      TextEncoder textEncoder =
          openTextEncoder(directory.resolve("text_encoder"), options, closers);
      ThreadPool threads = new ThreadPool(options.threads());
      closers.push(threads::close);
      ImageAdapters imageAdapters = new ImageAdapters();
      closers.push(imageAdapters::close);
      ControlNets controlNets = new ControlNets();
      closers.push(controlNets::close);
      Components components =
          new Components(
              tokenizer,
              textEncoder,
              unet,
              vae,
              index.forceZerosForEmptyPrompt(),
              threads,
              options.promptCache(),
              Products.of(options.precision()),
              tinyVae,
              imageAdapters,
              controlNets,
              new AdaptableModules(unet.config(), textEncoder.config()));
      components.checkThatTheyFit();
      if (options.checkWeights()) {
        components.requireFiniteWeights();
      }
      String name = files.name(CheckpointName.of(directory));
      if (event.shouldCommit()) {
        event.part = "checkpoint";
        event.folder = directory.toString();
        event.commit();
      }
      LoadAhead.begin();
      return new Checkpoint(name, index, components, scheduler, new Lifetime(closers));
    } catch (Throwable e) {
      closers.forEach(Runnable::run);
      throw e;
    }
  }

  /** One in the place of the VAE is also the one for previews, unless another is named. */
  private static Optional<TinyVae> openTinyVae(OpenOptions options, Deque<Runnable> closers)
      throws IOException {
    Optional<Path> replacing = options.singleFiles().vae();
    boolean replacesVae = replacing.isPresent() && AutoencoderTiny.isOne(replacing.get());
    Optional<Path> path = replacesVae ? replacing : options.previewVae();
    if (path.isEmpty()) {
      return Optional.empty();
    }
    AutoencoderTiny tiny = AutoencoderTiny.load(path.get());
    closers.push(tiny::close);
    return Optional.of(new TinyVae(tiny, replacesVae));
  }

  private static TextEncoder openTextEncoder(
      Path folder, OpenOptions options, Deque<Runnable> closers) throws IOException {
    if (options.textEncoderOnDemand()) {
      TextEncoder onDemand = StoredTextEncoder.onDemand(folder, options);
      closers.push(onDemand::close);
      return onDemand;
    }
    ChatGlmModel model = StoredTextEncoder.load(folder, options);
    closers.push(model::close);
    return StoredTextEncoder.of(model);
  }

  /** As in diffusers, the index decides on the class where it and the scheduler's file differ. */
  private static Scheduler loadScheduler(Path folder, ModelIndex index) throws IOException {
    Scheduler scheduler = Schedulers.load(folder);
    if (scheduler.className().equals(index.schedulerClass())) {
      return scheduler;
    }
    try {
      return Schedulers.byName(index.schedulerClass()).fromConfig(scheduler.config(), Map.of());
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(
          "[config] %s names %s, which cannot take the values of %s: %s"
              .formatted(
                  folder.resolveSibling(ModelIndex.FILE),
                  index.schedulerClass(),
                  folder.resolve("scheduler_config.json"),
                  e.getMessage()),
          e);
    }
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
    return new Checkpoint(name, index, replaced, scheduler, lifetime);
  }

  /**
   * The components as adapters change them. Those of the last call are kept, as a run of requests
   * has the same adapters.
   *
   * @throws IllegalArgumentException if the adapters do not fit to the models
   */
  public Components adapted(Adapters adapters) {
    if (adapters.uses().isEmpty()) {
      return components;
    }
    synchronized (this) {
      Adapted last = lastAdapted;
      if (last == null || !last.adapters.equals(adapters)) {
        last = new Adapted(adapters, adaptedNow(adapters));
        lastAdapted = last;
      }
      return last.components;
    }
  }

  private Components adaptedNow(Adapters adapters) {
    try {
      return components.adapted(adapters);
    } catch (InvalidFileException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** This checkpoint with {@link #adapted} components in the place of its own. */
  public Checkpoint withAdapters(Adapters adapters) {
    return use(() -> new Checkpoint(name, index, adapted(adapters), scheduler, lifetime));
  }

  /** Writes a checkpoint, while nobody can unmap it. */
  public void save(Path directory, Scheduler named, SaveOptions options) throws IOException {
    lifetime.enter();
    try {
      new CheckpointWriter(index, components, named).write(directory, options);
    } finally {
      lifetime.leave();
    }
  }

  /** Which model this is; known after the end, too, to whom has asked before. */
  public ModelIdentity identity() {
    ModelIdentity known = identity;
    if (known == null) {
      known = use(() -> new ModelIdentity(name, components.identities()));
      identity = known;
    }
    return known;
  }

  /** For what reads no weights. */
  public Components components() {
    return components;
  }

  /**
   * Computes something, while nobody can unmap the weights.
   *
   * @throws IllegalStateException at once if the checkpoint is closed, or about to be
   */
  public <T> T use(Supplier<T> computation) {
    lifetime.enter();
    try {
      return computation.get();
    } finally {
      lifetime.leave();
    }
  }

  /** Whether what is computed inside {@link #use} is to end early, because somebody closes. */
  public boolean isCancelling() {
    return lifetime.isCancelling();
  }

  public void checkOpen() {
    lifetime.checkOpen();
  }

  /**
   * Refuses new users at once, waits for those that there are, and unmaps.
   *
   * @param patience how long they may go on; then they are cancelled
   * @return whether everything is unmapped; where not, the last one who leaves does it
   */
  public boolean closeWithin(Duration patience) {
    forgetAdapted();
    return lifetime.close(nanos(patience));
  }

  private synchronized void forgetAdapted() {
    lastAdapted = null;
  }

  /** As {@link #closeWithin}, with all patience. */
  @Override
  public void close() {
    forgetAdapted();
    lifetime.close(Long.MAX_VALUE);
  }

  private static long nanos(Duration duration) {
    try {
      return duration.toNanos();
    } catch (ArithmeticException _) { // some hundred years
      return duration.isNegative() ? 0 : Long.MAX_VALUE;
    }
  }
}
