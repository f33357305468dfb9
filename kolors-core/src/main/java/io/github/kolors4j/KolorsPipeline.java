package io.github.kolors4j;

import io.github.kolors4j.adapter.AdapterFit;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.components.Checkpoint;
import io.github.kolors4j.components.Components;
import io.github.kolors4j.components.OpenOptions;
import io.github.kolors4j.components.SingleFiles;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.estimate.MachineSpeed;
import io.github.kolors4j.hub.HubException;
import io.github.kolors4j.hub.HubModel;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.EngineVersion;
import io.github.kolors4j.metadata.ModelIdentity;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.EncodedPrompt;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageEmbeds;
import io.github.kolors4j.request.ImageListener;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.NotFiniteException;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.run.Estimator;
import io.github.kolors4j.run.Generation;
import io.github.kolors4j.run.Preparation;
import io.github.kolors4j.run.RequestResolver;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.Variant;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * Text to picture with Kolors; diffusers {@code KolorsPipeline}.
 *
 * {@snippet :
 * try (KolorsPipeline pipeline = KolorsPipeline.open(Path.of("Kolors-diffusers"))) {
 *   KolorsPipeline karras =
 *       pipeline.withScheduler(
 *           DPMSolverMultistepScheduler.fromConfig(
 *               pipeline.scheduler().config(), Map.of("use_karras_sigmas", true)));
 *   ImageResult result =
 *       karras.generate(
 *           ImageRequest.builder("一张瓢虫的照片,微距,变焦,高质量,电影,拿着一个牌子,写着\"可图\"")
 *               .guidanceScale(6.5)
 *               .numInferenceSteps(25)
 *               .seed(66)
 *               .build());
 *   result.image().save(Path.of("kolors.png"));
 * }
 * }
 *
 * <p>A pipeline is immutable and may be used by several threads at once; they share the weights and
 * the compute threads. Each image of a request is made by itself, so that its bytes depend on its
 * prompts, seed and settings alone, and the memory does not grow with the number of images.
 *
 * <p>{@link #close} unmaps the weights, also for the pipelines that were derived with {@link
 * #withScheduler}.
 */
public final class KolorsPipeline implements AutoCloseable {
  /** How long an estimate may measure. */
  private static final Duration PROBE = Duration.ofSeconds(2);

  private final Checkpoint checkpoint;
  private final Components components;
  private final Scheduler scheduler;

  private KolorsPipeline(Checkpoint checkpoint, Scheduler scheduler) {
    this.checkpoint = checkpoint;
    this.components = checkpoint.components();
    this.scheduler = scheduler;
  }

  /**
   * Opens a checkpoint with its F16 weights where it has them, on all cores.
   *
   * @param directory of the checkpoint in diffusers' layout, with the {@code model_index.json}
   * @return the pipeline, to be closed
   * @throws InvalidFileException if a file is missing or not what it should be
   * @throws IOException if a file cannot be read
   */
  public static KolorsPipeline open(Path directory) throws IOException {
    return builder(directory).open();
  }

  /**
   * Opens a checkpoint by its name at the Hugging Face hub, with its F16 weights where it has them,
   * on all cores; diffusers' {@code from_pretrained}. What is not in the cache that Python's {@code
   * huggingface_hub} shares is downloaded: 18 GB for Kolors.
   *
   * @param repository {@code owner/name} or {@code owner/name@revision}, also after {@code
   *     modelscope://}
   * @return the pipeline, to be closed
   * @throws HubException if it cannot be had; the message says what to do
   * @throws InvalidFileException if a file is missing or not what it should be
   * @throws IOException if a file cannot be read or written
   * @throws IllegalArgumentException if it can be no name
   */
  public static KolorsPipeline fromPretrained(String repository) throws IOException {
    return builder(HubModel.of(repository)).open();
  }

  /**
   * Begins to open a checkpoint by its name in another way than {@link #fromPretrained}.
   *
   * @param model the name, and how to come by the files
   * @return what opens it, and downloads it then
   */
  public static Builder builder(HubModel model) {
    Objects.requireNonNull(model, "model");
    return new Builder(model::snapshot);
  }

  /**
   * Begins to open a checkpoint in another way than {@link #open}.
   *
   * @param directory of the checkpoint in diffusers' layout, with the {@code model_index.json}
   * @return what opens it
   */
  public static Builder builder(Path directory) {
    Objects.requireNonNull(directory, "directory");
    return new Builder(_ -> directory);
  }

  /**
   * Begins to open a checkpoint as people name one in a setting: a folder if there is one of that
   * name, else a repository of the hub, which is downloaded if it is not in the cache.
   *
   * @param model a folder, {@code owner/name}, {@code owner/name@revision}, or {@code
   *     modelscope://owner/name}
   * @return what opens it
   * @see ModelReference
   */
  public static Builder builder(String model) {
    return new Builder(ModelReference.parse(model)::directory);
  }

  /** How to open a checkpoint. */
  public static final class Builder {
    private final Location location;
    private Optional<String> variant = Optional.empty();
    private Precision precision = Precision.F32;
    private boolean checkWeights;
    private int threads = Runtime.getRuntime().availableProcessors();
    private Optional<PromptCache> promptCache = Optional.empty();
    private boolean textEncoderOnDemand;
    private SingleFiles singleFiles = SingleFiles.NONE;
    private Optional<Path> previewVae = Optional.empty();

    /** Where the files are, known when they are needed. */
    @FunctionalInterface
    private interface Location {
      Path directory(Variant variant) throws IOException;
    }

    private Builder(Location location) {
      this.location = location;
    }

    /**
     * Takes the weights of this variant only, as diffusers' {@code variant}. Without it those of
     * {@code fp16} are taken where they are there, else the plain ones, else those of another
     * variant where there is only one.
     *
     * @param variant as in the file names, such as {@code fp16}; empty text for the plain files
     * @return this
     * @throws IllegalArgumentException if it cannot be part of a file's name
     */
    public Builder variant(String variant) {
      this.variant = Optional.of(Variant.only(variant).name());
      return this;
    }

    /**
     * Computes with so many threads; by default, as many as there are cores. The pictures do not
     * depend on it.
     *
     * @param threads 1 to {@link ThreadPool#MOST_THREADS}
     * @return this
     * @throws IllegalArgumentException if {@code threads} is less or more
     */
    public Builder threads(int threads) {
      this.threads = ThreadPool.checkThreads(threads);
      return this;
    }

    /**
     * Computes products in another precision than F32, where the machine can: it takes the module
     * {@code kolors-x86}, a CPU with instructions for BF16, and {@code --enable-native-access}. A
     * line in the log says where one of them is missing, and F32 is used then.
     *
     * @param precision the precision
     * @return this
     * @see KolorsPipeline#precision
     */
    public Builder precision(Precision precision) {
      this.precision = Objects.requireNonNull(precision, "precision");
      return this;
    }

    /**
     * Reads all weights while opening, and refuses NaN and infinity, of which nothing but black
     * pictures become. Without it the weights are mapped and not read, and such a value ends the
     * request that comes to it.
     *
     * @return this
     */
    public Builder checkWeights() {
      checkWeights = true;
      return this;
    }

    /**
     * Remembers encoded prompts on disk, and finds those that were encoded before, by this pipeline
     * or another one. The text encoder is then {@link #textEncoderOnDemand on demand}: a request
     * whose prompts are all remembered never opens it, and its files need not be there. The
     * pictures are the same.
     *
     * @param cache the folder, which pipelines and processes may share
     * @return this
     */
    public Builder promptCache(PromptCache cache) {
      promptCache = Optional.of(cache);
      return textEncoderOnDemand();
    }

    /**
     * Maps the text encoder's weights only while prompts are encoded, so that the system gives
     * their memory to the U-Net first: two thirds of a checkpoint, needed for seconds. A file of it
     * that is missing or wrong is then found by the first request, which fails with an {@link
     * UncheckedIOException}.
     *
     * @return this
     */
    public Builder textEncoderOnDemand() {
      textEncoderOnDemand = true;
      return this;
    }

    /**
     * Takes the U-Net's weights from a file of one's own in the place of the checkpoint's, whose
     * configuration holds: under diffusers' names (as Kolors8), or those of Stability's layout (as
     * ComfyUI's checkpoints, of which other models are left alone). How many channels it takes, the
     * file tells.
     *
     * @param file safetensors
     * @return this
     */
    public Builder unet(Path file) {
      singleFiles = singleFiles.withUnet(Objects.requireNonNull(file, "file"));
      return this;
    }

    /**
     * Takes the VAE's weights from a file of one's own in the place of the checkpoint's, whose
     * configuration holds: under diffusers' names, or those of latent diffusion. A tiny autoencoder
     * may take its place, too: it decodes with a ninth of the multiply-adds, and invents fine
     * detail.
     *
     * @param file safetensors; or the folder of a tiny autoencoder
     * @return this
     */
    public Builder vae(Path file) {
      singleFiles = singleFiles.withVae(Objects.requireNonNull(file, "file"));
      return this;
    }

    /**
     * Opens a tiny autoencoder beside the VAE, by which {@link
     * io.github.kolors4j.request.StepEnd#quickPreview} shows pictures while they are made. The
     * finished ones do not depend on it.
     *
     * @param path the folder of one, as {@code madebyollin/taesdxl} has it, or its safetensors file
     * @return this
     */
    public Builder previewVae(Path path) {
      previewVae = Optional.of(Objects.requireNonNull(path, "path"));
      return this;
    }

    /**
     * Takes the text encoder's weights from a file of one's own in the place of the checkpoint's,
     * whose configuration holds: in 16 bits, or in ChatGLM's own 8 or 4.
     *
     * @param file safetensors
     * @return this
     */
    public Builder textEncoder(Path file) {
      singleFiles = singleFiles.withTextEncoder(Objects.requireNonNull(file, "file"));
      return this;
    }

    /**
     * Opens the checkpoint.
     *
     * @return the pipeline, to be closed
     * @throws HubException if it was given by its name and cannot be had
     * @throws InvalidFileException if a file is missing or not what it should be
     * @throws IOException if a file cannot be read
     */
    public KolorsPipeline open() throws IOException {
      Path directory = location.directory(variant.map(Variant::only).orElse(Variant.DEFAULT));
      Checkpoint checkpoint =
          Checkpoint.open(
              directory,
              new OpenOptions(
                  variant,
                  threads,
                  precision,
                  checkWeights,
                  promptCache,
                  textEncoderOnDemand,
                  singleFiles,
                  previewVae));
      return new KolorsPipeline(checkpoint, checkpoint.scheduler());
    }
  }

  /**
   * A pipeline with another scheduler on the weights and threads of this one.
   *
   * @param scheduler the scheduler
   * @return the derived pipeline; closing either closes both
   */
  public KolorsPipeline withScheduler(Scheduler scheduler) {
    checkpoint.checkOpen();
    return new KolorsPipeline(checkpoint, Objects.requireNonNull(scheduler, "scheduler"));
  }

  /**
   * What products are computed with.
   *
   * @return the precision that was asked for, or F32 where the machine has not got it
   */
  public Precision precision() {
    return components.products().precision();
  }

  /**
   * The scheduler.
   *
   * @return the checkpoint's own, or the one of {@link #withScheduler}
   */
  public Scheduler scheduler() {
    return scheduler;
  }

  /**
   * The tokenizer.
   *
   * @return the checkpoint's
   */
  public ChatGlmTokenizer tokenizer() {
    return components.tokenizer();
  }

  /**
   * The text encoder.
   *
   * @return the checkpoint's own, which lives as long as the pipeline, also where it was to be open
   *     on demand only; or the one of {@link #withTextEncoder}
   * @throws UncheckedIOException if it is opened on demand and cannot be
   */
  public ChatGlmModel textEncoder() {
    return components.textEncoder().model();
  }

  /**
   * The U-Net.
   *
   * @return the checkpoint's own, which lives as long as the pipeline, or the one of {@link
   *     #withUnet}
   */
  public UNet2DConditionModel unet() {
    return components.unet();
  }

  /**
   * The VAE.
   *
   * @return the checkpoint's own, which lives as long as the pipeline, or the one of {@link
   *     #withVae}
   */
  public AutoencoderKL vae() {
    return components.vae();
  }

  /**
   * A pipeline with another tokenizer on the weights and threads of this one.
   *
   * @param tokenizer the tokenizer
   * @return the derived pipeline; closing either closes both
   * @throws IllegalArgumentException if it has more ids than the text encoder knows
   * @throws IllegalStateException if the pipeline is closed
   */
  public KolorsPipeline withTokenizer(ChatGlmTokenizer tokenizer) {
    Objects.requireNonNull(tokenizer, "tokenizer");
    return new KolorsPipeline(checkpoint.with(each -> each.with(tokenizer)), scheduler);
  }

  /**
   * A pipeline with another text encoder, on the threads and the other weights of this one.
   *
   * @param textEncoder the text encoder; who opened it closes it, after the last request: the
   *     pipeline does not
   * @return the derived pipeline; closing either closes both
   * @throws IllegalArgumentException if it does not fit to the tokenizer or the U-Net
   * @throws IllegalStateException if the pipeline is closed
   */
  public KolorsPipeline withTextEncoder(ChatGlmModel textEncoder) {
    Objects.requireNonNull(textEncoder, "textEncoder");
    return new KolorsPipeline(checkpoint.with(each -> each.with(textEncoder)), scheduler);
  }

  /**
   * A pipeline with another U-Net, on the threads and the other weights of this one.
   *
   * @param unet the U-Net; who opened it closes it, after the last request: the pipeline does not
   * @return the derived pipeline; closing either closes both
   * @throws IllegalArgumentException if it does not fit to the text encoder or the VAE
   * @throws IllegalStateException if the pipeline is closed
   */
  public KolorsPipeline withUnet(UNet2DConditionModel unet) {
    Objects.requireNonNull(unet, "unet");
    return new KolorsPipeline(checkpoint.with(each -> each.with(unet)), scheduler);
  }

  /**
   * A pipeline with another VAE, on the threads and the other weights of this one.
   *
   * @param vae the VAE; who opened it closes it, after the last request: the pipeline does not
   * @return the derived pipeline; closing either closes both
   * @throws IllegalArgumentException if it does not fit to the U-Net
   * @throws IllegalStateException if the pipeline is closed
   */
  public KolorsPipeline withVae(AutoencoderKL vae) {
    Objects.requireNonNull(vae, "vae");
    return new KolorsPipeline(checkpoint.with(each -> each.with(vae)), scheduler);
  }

  /**
   * A pipeline whose U-Net and text encoder are changed by adapters in all of its requests, on top
   * of those that this pipeline has; those of a request come after them. The weights are those of
   * this pipeline, and nothing is copied but the adapters: saving the derived pipeline writes the
   * sums.
   *
   * @param adapters which ones, and how strongly
   * @return the derived pipeline; closing either closes both
   * @throws IllegalArgumentException if nothing of an adapter is for these models, or something of
   *     it has another shape than theirs
   * @throws IllegalStateException if the pipeline is closed
   */
  public KolorsPipeline withAdapters(Adapters adapters) {
    Objects.requireNonNull(adapters, "adapters");
    return new KolorsPipeline(checkpoint.withAdapters(adapters), scheduler);
  }

  /**
   * What of adapters this pipeline can use, as a look before they are used.
   *
   * @param adapters which ones
   * @return one for each, in order
   * @throws IllegalArgumentException if nothing of an adapter is for these models
   * @throws IllegalStateException if the pipeline is closed
   */
  public List<AdapterFit> fit(Adapters adapters) {
    checkpoint.checkOpen();
    return components.fit(adapters);
  }

  /**
   * Saves the pipeline as a checkpoint that diffusers and {@link #open} load: this scheduler, the
   * tokenizer's files, the configurations as they were read, and all weights in the types that they
   * are stored in. Nothing large is held in memory.
   *
   * <p>It is written into {@code NAME.partial} beside the directory, which gets its name when it is
   * complete: a run that fails leaves nothing, one that is killed nothing that looks finished.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @param options names and sizes of the files
   * @throws IOException if the folder has files, the disk is too small, or a file cannot be written
   * @throws IllegalArgumentException if the scheduler is of a class of one's own, which nothing
   *     could load
   * @throws IllegalStateException if the pipeline is closed, or a component that was put in is, or
   *     was made without a configuration file
   */
  public void savePretrained(Path directory, SaveOptions options) throws IOException {
    checkpoint.save(directory, scheduler, Objects.requireNonNull(options, "options"));
  }

  /**
   * Saves the pipeline under the plain names, in files of the usual size.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @throws IOException if the folder has files, the disk is too small, or a file cannot be written
   * @throws IllegalArgumentException if the scheduler is of a class of one's own, which nothing
   *     could load
   * @throws IllegalStateException if the pipeline is closed, or a component that was put in is, or
   *     was made without a configuration file
   */
  public void savePretrained(Path directory) throws IOException {
    savePretrained(directory, SaveOptions.DEFAULT);
  }

  /**
   * Pixels on the side of a latent cell, {@code f}.
   *
   * @return 8 for Kolors
   */
  public int vaeScaleFactor() {
    return components.vae().config().scaleFactor();
  }

  /**
   * The width and height of pictures whose request does not say: what the U-Net was trained on.
   *
   * @return in pixels, 1024 for Kolors
   * @throws IllegalArgumentException if the U-Net's config has no {@code sample_size}
   */
  public int defaultSize() {
    return resolver().defaultSize();
  }

  private RequestResolver resolver() {
    return new RequestResolver(components.unet().config(), components.vae().config());
  }

  /**
   * Makes the images of a request, one after another, with nobody watching.
   *
   * @param request what to make
   * @return the images, or their latents, with their seeds and the time that it took
   * @throws IllegalArgumentException if the request cannot be generated by this model; nothing has
   *     been computed then
   * @throws GenerationCancelledException if its thread was interrupted, or the pipeline closed with
   *     a limit
   * @throws IllegalStateException if the pipeline is closed, or about to be
   * @throws NotFiniteException if it came to NaN or infinity, of which a black picture would become
   * @throws UncheckedIOException if a file of the weights was cut short while it was in use; with
   *     its name
   * @throws OutOfMemoryError if the heap is too small, with a sentence that says what helps
   */
  public ImageResult generate(ImageRequest request) {
    return generate(request, RunControl.NONE);
  }

  /**
   * Makes the images of a request, one after another.
   *
   * @param request what to make
   * @param control who watches, and who may end it
   * @return the images, or their latents, with their seeds and the time that it took
   * @throws IllegalArgumentException if the request cannot be generated by this model; nothing has
   *     been computed then
   * @throws GenerationCancelledException if the request was cancelled, its time is over, its thread
   *     was interrupted, or the pipeline closed with a limit; within half a second, wherever it
   *     stands, callbacks aside
   * @throws IllegalStateException if the pipeline is closed, or about to be
   * @throws NotFiniteException if it came to NaN or infinity, of which a black picture would become
   * @throws UncheckedIOException if a file of the weights was cut short while it was in use; with
   *     its name
   * @throws OutOfMemoryError if the heap is too small, with a sentence that says what helps
   */
  public ImageResult generate(ImageRequest request, RunControl control) {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(control, "control");
    return checkpoint.use(
        () -> generation(checkpoint.adapted(request.adapters())).generate(request, control));
  }

  /**
   * Refuses a request that {@link #generate} would refuse before any work, so that a queue takes
   * none that has no chance. Takes no time, and computes nothing. Whether its adapters fit is seen
   * when it is generated.
   *
   * @param request what is to be made
   * @param control who is to watch
   * @throws IllegalArgumentException if the request cannot be generated by this model
   * @throws IllegalStateException if the pipeline is closed, or about to be
   */
  public void check(ImageRequest request, RunControl control) {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(control, "control");
    checkpoint.checkOpen();
    Preparation _ = generation(components).prepare(request, control);
  }

  /**
   * Checks a request as {@link #check} does, and keeps what it has found out, so that the request
   * is generated later without another look at it.
   *
   * @param request what is to be made
   * @param control who is to watch, and with which generators
   * @return the request, to be generated with this pipeline
   * @throws IllegalArgumentException if the request cannot be generated by this model
   * @throws IllegalStateException if the pipeline is closed, or about to be
   */
  public PreparedRequest prepare(ImageRequest request, RunControl control) {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(control, "control");
    checkpoint.checkOpen();
    return new PreparedRequest(this, generation(components).prepare(request, control));
  }

  ImageResult generate(Preparation preparation, RunControl control) {
    return checkpoint.use(
        () ->
            generation(checkpoint.adapted(preparation.request().adapters()))
                .generate(preparation, control));
  }

  /**
   * Encodes a prompt as {@link #generate} does, for a look at it or for use elsewhere.
   *
   * @param prompt the prompt, or a negative one
   * @return ids, context and pooled vector
   * @throws CancellationException if the thread was interrupted, or the pipeline closed with a
   *     limit
   * @throws IllegalStateException if the pipeline is closed
   */
  public EncodedPrompt encodePrompt(String prompt) {
    return encodePrompt(prompt, ImageRequest.MAX_SEQUENCE_LENGTH);
  }

  /**
   * Encodes a prompt as {@link #generate} does with that {@code maxSequenceLength}.
   *
   * @param prompt the prompt, or a negative one
   * @param maxSequenceLength 1 to 256 tokens
   * @return ids, context and pooled vector
   * @throws IllegalArgumentException if the prompt is null or the length not 1 to 256
   * @throws CancellationException if the thread was interrupted, or the pipeline closed with a
   *     limit
   * @throws IllegalStateException if the pipeline is closed
   */
  public EncodedPrompt encodePrompt(String prompt, int maxSequenceLength) {
    ImageRequest request =
        ImageRequest.builder(prompt).maxSequenceLength(maxSequenceLength).build();
    return checkpoint.use(() -> generation(components).encodePrompt(request));
  }

  /**
   * Encodes the prompts of requests that are to come, so that {@link #generate} finds them in the
   * prompt cache: the text encoder is then read once for all of them, and not between pictures.
   * Does nothing without a {@link Builder#promptCache prompt cache}. A request that cannot be
   * generated is passed over, and refused when it is generated.
   *
   * @param requests no more than {@link #promptCapacity} has room for: of more, the first ones are
   *     forgotten again
   * @param control who watches, and who may end it
   * @return how many texts were encoded; those that were remembered are not among them
   * @throws CancellationException if it was cancelled, the thread was interrupted, or the pipeline
   *     closed with a limit
   * @throws IllegalStateException if the pipeline is closed
   * @throws UncheckedIOException if the text encoder cannot be read
   */
  public int encodeAhead(List<ImageRequest> requests, RunControl control) {
    Map<Adapters, List<ImageRequest>> byAdapters = new LinkedHashMap<>();
    for (ImageRequest request : requests) {
      byAdapters.computeIfAbsent(request.adapters(), _ -> new ArrayList<>()).add(request);
    }
    int encoded = 0;
    for (Map.Entry<Adapters, List<ImageRequest>> each : byAdapters.entrySet()) {
      encoded += checkpoint.use(() -> encodeAhead(each.getKey(), each.getValue(), control));
    }
    return encoded;
  }

  private int encodeAhead(Adapters adapters, List<ImageRequest> requests, RunControl control) {
    Components adapted;
    try {
      adapted = checkpoint.adapted(adapters);
    } catch (IllegalArgumentException _) {
      return 0; // they are refused when it is their turn
    }
    return generation(adapted).encodeAhead(requests, control);
  }

  /**
   * How many encoded prompts the prompt cache has room for.
   *
   * @return of 256 tokens each; 0 without a cache
   */
  public int promptCapacity() {
    long bytes =
        (long) Float.BYTES
            * components.unet().config().encoderHidDim()
            * (ImageRequest.MAX_SEQUENCE_LENGTH + 1);
    return components
        .promptCache()
        .map(cache -> (int) Math.min(Integer.MAX_VALUE, cache.maxBytes() / bytes))
        .orElse(0);
  }

  /**
   * Encodes the images of an image prompt as {@link #generate} does, for use in other requests:
   * what it gives needs no image encoder any more.
   *
   * @param prompt images, and the adapter that they are for
   * @return the images as the adapter's image encoder sees them, and what they are held against
   * @throws IllegalArgumentException if the adapter cannot be opened, or has no image encoder
   * @throws CancellationException if the thread was interrupted, or the pipeline closed with a
   *     limit
   * @throws IllegalStateException if the pipeline is closed
   */
  public ImageEmbeds encodeImages(ImagePrompt prompt) {
    Objects.requireNonNull(prompt, "prompt");
    return checkpoint.use(() -> generation(components).encodeImages(prompt));
  }

  private Generation generation(Components with) {
    return new Generation(with, scheduler, checkpoint::isCancelling);
  }

  /**
   * How a picture of a result was made, to be written into its file.
   *
   * @param result of this pipeline's {@link #generate}
   * @param image which of its pictures, from 0
   * @return the metadata
   * @throws IndexOutOfBoundsException if the result has no such picture
   * @throws IllegalStateException if the pipeline is closed
   */
  public PictureMetadata metadata(ImageResult result, int image) {
    return PictureMetadata.of(
        result.request(), image, result.images().get(image), scheduler, identity(), engine());
  }

  private EngineVersion engine() {
    return EngineVersion.current(components.products());
  }

  /**
   * How a picture was made that an {@link ImageListener} is given while the others are still to
   * come.
   *
   * @param request as {@link #generate} was given it
   * @param finished the picture
   * @return the metadata
   * @throws IllegalArgumentException if latents were asked for
   * @throws IllegalStateException if the pipeline is closed
   */
  public PictureMetadata metadata(ImageRequest request, FinishedImage finished) {
    KolorsImage picture =
        finished
            .image()
            .orElseThrow(() -> new IllegalArgumentException("[metadata] latents are no picture."));
    ImageRequest.Builder whole = resolver().sized(request).toBuilder();
    if (finished.seed().isPresent() && request.seeds().size() != request.numImages()) {
      whole.seed(finished.seed().getAsLong() - finished.index());
    }
    return PictureMetadata.of(
        whole.build(), finished.index(), picture, scheduler, identity(), engine());
  }

  /**
   * What a request will take on this machine: time, memory and disk. Measures the machine for two
   * seconds.
   *
   * @param request the request
   * @return the estimate
   * @throws IllegalArgumentException if the request cannot be generated by this model
   * @throws IllegalStateException if the pipeline is closed
   */
  public CostEstimate estimate(ImageRequest request) {
    return checkpoint.use(
        () ->
            new Estimator(components, scheduler)
                .estimate(
                    request,
                    MachineSpeed.measure(components.threads(), components.products(), PROBE)));
  }

  /**
   * What a request will take on a machine of some speed.
   *
   * @param request the request
   * @param speed as {@link MachineSpeed#measure} gives it
   * @return the estimate
   * @throws IllegalArgumentException if the request cannot be generated by this model
   * @throws IllegalStateException if the pipeline is closed
   */
  public CostEstimate estimate(ImageRequest request, MachineSpeed speed) {
    return checkpoint.use(() -> new Estimator(components, scheduler).estimate(request, speed));
  }

  /**
   * Which model this is. The first call reads a few kilobytes of the weights; later ones may come
   * after the pipeline has been closed, as may those of {@link #metadata}.
   *
   * @return the hash of each component, and the checkpoint's name
   * @throws IllegalStateException if the pipeline is closed, and nobody has asked before
   */
  public ModelIdentity identity() {
    return checkpoint.identity();
  }

  /**
   * Unmaps the weights and ends the compute threads, for all pipelines that were derived from one
   * another. New requests are refused at once, with an {@link IllegalStateException}; those that
   * are running are waited for. As with an executor's {@code close}, an interrupt of the waiting
   * thread cancels them, and stays set. Closing twice does no harm; several threads that close all
   * return when it is done.
   *
   * <p>A callback must not wait for a thread that closes in this way, which waits for the callback:
   * {@link #closeWithin} always comes back.
   *
   * @throws IllegalStateException if called from a callback of a running request
   */
  @Override
  public void close() {
    checkpoint.close();
  }

  /**
   * Closes as {@link #close} does, and does not wait for ever: requests that are still running
   * after some time are cancelled. They end within half a second; one that sits in a callback ends
   * when that returns. The call waits for at most five seconds after it has cancelled, whatever
   * callbacks do. What is then still in use is unmapped by the last request that ends.
   *
   * @param patience how long requests may go on; zero cancels them at once
   * @return whether all requests have ended and everything is unmapped
   * @throws IllegalStateException if called from a callback of a running request
   */
  public boolean closeWithin(Duration patience) {
    return checkpoint.closeWithin(patience);
  }
}
