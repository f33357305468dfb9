package io.github.kolors4j.springai;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Mask;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.service.ImageService;
import io.github.kolors4j.service.JobOptions;
import io.github.kolors4j.service.QueueFullException;
import io.micrometer.observation.ObservationRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.image.Image;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.image.ImageResponseMetadata;
import org.springframework.ai.image.observation.DefaultImageModelObservationConvention;
import org.springframework.ai.image.observation.ImageModelObservationContext;
import org.springframework.ai.image.observation.ImageModelObservationConvention;
import org.springframework.ai.image.observation.ImageModelObservationDocumentation;

/**
 * Kolors as Spring AI's {@link ImageModel}: text to picture, and picture to picture, in this JVM.
 *
 * {@snippet :
 * try (KolorsImageModel model =
 *     KolorsImageModel.builder().model("Kwai-Kolors/Kolors-diffusers").build()) {
 *   ImageResponse response = model.call(new ImagePrompt("一只瓢虫,蓝色背景"));
 *   byte[] png = Base64.getDecoder().decode(response.getResult().getOutput().getB64Json());
 * }
 * }
 *
 * <p>The checkpoint is opened when the first picture is asked for, once for all threads. Calls wait
 * for their turn in a fair queue that has an end; a call computes with all cores, so that two at
 * once would not be faster. Thread-safe.
 *
 * <p><b>What a prompt says.</b> Messages without weight, or of weight 1, are what the picture
 * shows, those of weight −1 what it does not; other weights are refused. Several texts of one kind
 * are put together with a comma. One message may bring a picture to begin with, as its {@code
 * media}, by its bytes: PNG, JPEG, GIF or BMP, with the module {@code kolors-images} also TIFF and
 * WebP. A second one that is named {@code mask} says which part of it is painted anew: what is
 * transparent in a PNG, or else what is white. A URL is refused, because nothing is fetched that a
 * request names.
 *
 * <p><b>What it wants</b> are {@link KolorsImageOptions} or any other {@code ImageOptions}, merged
 * with the model's own option by option. {@link KolorsImageOptions#mergedWith} has the rule.
 *
 * <p><b>What comes back</b> is a PNG in Base64 for each picture, with its seed and size as {@link
 * KolorsImageGenerationMetadata}. The response's metadata have {@code model}, {@code scheduler},
 * {@code width}, {@code height}, {@code num_inference_steps}, {@code guidance_scale} and {@code
 * timings}, and where a prompt was longer than the model reads, {@code truncated_prompts}.
 */
public final class KolorsImageModel implements ImageModel, AutoCloseable {
  /** What observations call the provider. */
  public static final String PROVIDER = "kolors";

  private static final ImageModelObservationConvention DEFAULT_OBSERVATION_CONVENTION =
      new DefaultImageModelObservationConvention();

  private final KolorsImageOptions defaults;
  private final LazyService service;
  private final PictureLimits pictureLimits;
  private final boolean pictureMetadata;
  private final Duration shutdownTimeout;
  private final ObservationRegistry observationRegistry;
  private volatile ImageModelObservationConvention observationConvention;

  private KolorsImageModel(Builder builder, KolorsImageOptions defaults, PipelineSource source) {
    this.defaults = defaults;
    int queueCapacity = builder.queueCapacity;
    int concurrency = builder.concurrency;
    this.service =
        new LazyService(
            source,
            pipeline ->
                ImageService.builder(pipeline)
                    .ownsPipeline()
                    .queueCapacity(queueCapacity)
                    .concurrency(concurrency)
                    .build());
    this.pictureLimits = builder.pictureLimits;
    this.pictureMetadata = builder.pictureMetadata;
    this.shutdownTimeout = builder.shutdownTimeout;
    this.observationRegistry = builder.observationRegistry;
    this.observationConvention = builder.observationConvention;
  }

  /**
   * Begins a model.
   *
   * @return what builds it
   */
  public static Builder builder() {
    return new Builder();
  }

  /** How a model is to be. */
  public static final class Builder {
    private @Nullable String model;
    private KolorsImageOptions options = KolorsImageOptions.builder().build();
    private @Nullable PipelineSource source;
    private int queueCapacity = 16;
    private int concurrency = 1;
    private PictureLimits pictureLimits = PictureLimits.DEFAULT;
    private boolean pictureMetadata;
    private Duration shutdownTimeout = Duration.ofSeconds(10);
    private ObservationRegistry observationRegistry = ObservationRegistry.NOOP;
    private ImageModelObservationConvention observationConvention = DEFAULT_OBSERVATION_CONVENTION;

    private Builder() {}

    /**
     * The checkpoint, in place of the one that the {@link #options} name.
     *
     * @param model a folder in diffusers' layout, or {@code owner/name} at the Hugging Face hub,
     *     which is downloaded when the first picture is asked for
     * @return this
     */
    public Builder model(String model) {
      this.model = Objects.requireNonNull(model, "model");
      return this;
    }

    /**
     * What a call wants that leaves an option open.
     *
     * @param options the defaults
     * @return this
     */
    public Builder options(KolorsImageOptions options) {
      this.options = Objects.requireNonNull(options, "options");
      return this;
    }

    /**
     * Another way to open the checkpoint, as with other threads or another precision. The name of
     * the {@link #model} is then only what messages and observations call it, and may be left out.
     *
     * @param source called when the first picture is asked for
     * @return this
     */
    public Builder pipeline(PipelineSource source) {
      this.source = Objects.requireNonNull(source, "source");
      return this;
    }

    /**
     * How many calls may wait; one more is refused.
     *
     * @param queueCapacity 0 to refuse all that cannot start at once; by default 16
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder queueCapacity(int queueCapacity) {
      if (queueCapacity < 0) {
        throw new IllegalArgumentException(
            "[spring-ai] a queue of %s: use 0 or more.".formatted(queueCapacity));
      }
      this.queueCapacity = queueCapacity;
      return this;
    }

    /**
     * How many calls are computed at once.
     *
     * @param concurrency 1 or more; by default 1, as a call computes with all cores
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder concurrency(int concurrency) {
      if (concurrency < 1) {
        throw new IllegalArgumentException(
            "[spring-ai] concurrency %s: use 1 or more.".formatted(concurrency));
      }
      this.concurrency = concurrency;
      return this;
    }

    /**
     * How large a picture to begin with may be.
     *
     * @param pictureLimits pixels and bytes; by default {@link PictureLimits#DEFAULT}
     * @return this
     */
    public Builder pictureLimits(PictureLimits pictureLimits) {
      this.pictureLimits = Objects.requireNonNull(pictureLimits, "pictureLimits");
      return this;
    }

    /**
     * Whether a picture's file says how it was made: prompts, options, scheduler and model, for
     * {@code ./kolors replay} and the field's other tools to read.
     *
     * @param pictureMetadata by default false
     * @return this
     */
    public Builder pictureMetadata(boolean pictureMetadata) {
      this.pictureMetadata = pictureMetadata;
      return this;
    }

    /**
     * How long {@link KolorsImageModel#close} lets a call go on that is being computed.
     *
     * @param shutdownTimeout zero to cancel it at once; by default ten seconds
     * @return this
     */
    public Builder shutdownTimeout(Duration shutdownTimeout) {
      this.shutdownTimeout = Objects.requireNonNull(shutdownTimeout, "shutdownTimeout");
      return this;
    }

    /**
     * Where calls are observed.
     *
     * @param observationRegistry by default nowhere
     * @return this
     */
    public Builder observationRegistry(ObservationRegistry observationRegistry) {
      this.observationRegistry = Objects.requireNonNull(observationRegistry, "observationRegistry");
      return this;
    }

    /**
     * What an observation is called and says.
     *
     * @param observationConvention by default Spring AI's own
     * @return this
     */
    public Builder observationConvention(ImageModelObservationConvention observationConvention) {
      this.observationConvention =
          Objects.requireNonNull(observationConvention, "observationConvention");
      return this;
    }

    /**
     * The model. Nothing is opened yet.
     *
     * @return to be closed
     * @throws IllegalArgumentException if it is not said which checkpoint, or an option has a value
     *     that no checkpoint could use
     */
    public KolorsImageModel build() {
      KolorsImageOptions defaults =
          model == null ? options : options.toBuilder().model(model).build();
      PipelineSource opening = source;
      if (opening == null) {
        String name = defaults.getModel();
        if (name == null || name.isBlank()) {
          throw new IllegalArgumentException(
              "[spring-ai] no model: name a folder, or owner/name at the hub.");
        }
        opening = () -> KolorsPipeline.builder(name).open();
      }
      check(defaults);
      return new KolorsImageModel(this, defaults, opening);
    }

    /** Finds now what every call would fail with. */
    private static void check(KolorsImageOptions defaults) {
      PromptMessages nothing =
          new PromptMessages("", Optional.empty(), Optional.empty(), Optional.empty());
      request(nothing, defaults.toBuilder().strength(null).build());
      if (defaults.getScheduler() != null) {
        Schedulers.byName(defaults.getScheduler());
      }
    }
  }

  /**
   * Makes the pictures of a prompt, and waits for them. An interrupt of the waiting thread cancels
   * them, and stays set.
   *
   * @param prompt texts, a picture to begin with, and options
   * @return a PNG in Base64 for each picture
   * @throws IllegalArgumentException if the model cannot make what the prompt wants; nothing has
   *     been computed then
   * @throws QueueFullException if too many calls are waiting
   * @throws GenerationCancelledException if the thread was interrupted, or the model closed;
   *     another {@code CancellationException} if that was before the checkpoint was open
   * @throws UncheckedIOException if the checkpoint cannot be opened
   * @throws IllegalStateException if the model is closed
   */
  @Override
  public ImageResponse call(ImagePrompt prompt) {
    KolorsImageOptions options = defaults.mergedWith(prompt.getOptions());
    ImageModelObservationContext context =
        ImageModelObservationContext.builder()
            .imagePrompt(new ImagePrompt(prompt.getInstructions(), options))
            .provider(PROVIDER)
            .build();
    return Objects.requireNonNull(
        ImageModelObservationDocumentation.IMAGE_MODEL_OPERATION
            .observation(
                observationConvention,
                DEFAULT_OBSERVATION_CONVENTION,
                () -> context,
                observationRegistry)
            .observe(
                () -> {
                  ImageResponse response = generate(prompt, options);
                  context.setResponse(response);
                  return response;
                }));
  }

  private ImageResponse generate(ImagePrompt prompt, KolorsImageOptions options) {
    checkModel(options);
    ImageRequest request = request(prompt, options);
    ImageService open = service.open();
    if (request.start().image().flatMap(Start.Image::mask).isPresent()) {
      request = paintedAtItsSize(request, Math.max(8, open.pipeline().vaeScaleFactor()));
    }
    Scheduler scheduler = scheduler(open.pipeline().scheduler(), options);
    // Before the pictures are made, as the model may be closed right after them.
    KolorsPipeline pipeline = open.pipeline().withScheduler(scheduler);
    ImageResult result = open.generate(request, JobOptions.builder().scheduler(scheduler).build());
    return response(pipeline, result, options);
  }

  /** With a mask too the picture's own size, where nobody has said another one. */
  private static ImageRequest paintedAtItsSize(ImageRequest request, int multiple) {
    KolorsImage from = request.start().image().orElseThrow().image(0);
    return request.toBuilder()
        .size(
            request.width().orElse(Math.max(multiple, from.width() - from.width() % multiple)),
            request.height().orElse(Math.max(multiple, from.height() - from.height() % multiple)))
        .build();
  }

  /** There is one pipeline, and a request cannot have another one. */
  private void checkModel(KolorsImageOptions options) {
    if (!Objects.equals(options.getModel(), defaults.getModel())) {
      throw new IllegalArgumentException(
          "[spring-ai] model %s: this image model has %s alone, leave the option out."
              .formatted(options.getModel(), publicName()));
    }
  }

  /** Where a folder lies is not the caller's business, who may be a stranger. */
  private String publicName() {
    String model = defaults.getModel();
    return model == null ? "one without a name" : ModelReference.publicName(model);
  }

  private ImageRequest request(ImagePrompt prompt, KolorsImageOptions options) {
    PromptMessages messages = PromptMessages.of(prompt.getInstructions(), pictureLimits);
    KolorsImageOptions own =
        prompt.getOptions() instanceof KolorsImageOptions given
            ? given
            : KolorsImageOptions.builder().build();
    if (messages.negativePrompt().isPresent() && own.getNegativePrompt() != null) {
      throw new IllegalArgumentException(
          "[spring-ai] both a message of weight -1 and a negative prompt: give one of them.");
    }
    if (messages.image().isEmpty() && own.getStrength() == null) {
      // The default is for calls that begin with a picture.
      return request(messages, options.toBuilder().strength(null).build());
    }
    return request(messages, options);
  }

  private static ImageRequest request(PromptMessages messages, KolorsImageOptions options) {
    ImageRequest.Builder request = ImageRequest.builder(messages.prompt());
    given(options.getN(), request::numImagesPerPrompt);
    given(options.getWidth(), request::width);
    given(options.getHeight(), request::height);
    given(options.getNegativePrompt(), request::negativePrompt);
    given(options.getNumInferenceSteps(), request::numInferenceSteps);
    given(options.getGuidanceScale(), request::guidanceScale);
    given(options.getGuidanceRescale(), request::guidanceRescale);
    given(options.getPagScale(), request::pagScale);
    given(options.getSeed(), request::seed);
    given(options.getStrength(), request::strength);
    given(options.getVaeTiling(), request::vaeTiling);
    messages.negativePrompt().ifPresent(request::negativePrompt);
    messages.image().ifPresent(request::image);
    messages.mask().ifPresent(mask -> request.mask(Mask.overlaid(mask)));
    return request.build();
  }

  private static <T> void given(@Nullable T value, Consumer<T> use) {
    if (value != null) {
      use.accept(value);
    }
  }

  /** Another class from the checkpoint's config, or the checkpoint's own with other options. */
  private static Scheduler scheduler(Scheduler own, KolorsImageOptions options) {
    Map<String, Object> given = options.getSchedulerOptions();
    return Schedulers.chosen(
        own, options.getScheduler(), given == null ? Map.of() : SchedulerConfig.parseTexts(given));
  }

  private ImageResponse response(
      KolorsPipeline pipeline, ImageResult result, KolorsImageOptions options) {
    List<ImageGeneration> generations = new ArrayList<>();
    for (int i = 0; i < result.images().size(); i++) {
      KolorsImage image = result.images().get(i);
      Map<String, String> texts = pictureMetadata ? pipeline.metadata(result, i).texts() : Map.of();
      generations.add(
          new ImageGeneration(
              new Image(null, base64(image, texts)),
              new KolorsImageGenerationMetadata(
                  result.seeds().get(i), image.width(), image.height(), result.timings())));
    }
    ImageResponseMetadata metadata = new ImageResponseMetadata();
    given(options.getModel(), model -> metadata.put("model", ModelReference.publicName(model)));
    metadata.put("scheduler", pipeline.scheduler().className());
    result.summary().forEach(metadata::put);
    return new ImageResponse(generations, metadata);
  }

  private static String base64(KolorsImage image, Map<String, String> texts) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      image.writeTo(png, ImageFormat.PNG, texts);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // into memory: cannot be
    }
    return Base64.getEncoder().encodeToString(png.toByteArray());
  }

  /**
   * What an observation is called and says.
   *
   * @param convention from the next call on
   */
  public void setObservationConvention(ImageModelObservationConvention convention) {
    observationConvention = Objects.requireNonNull(convention, "convention");
  }

  /**
   * What a call wants that leaves an option open.
   *
   * @return the defaults, with the model's name
   */
  public KolorsImageOptions options() {
    return defaults;
  }

  /**
   * The service that makes the pictures, for what Spring AI has no words for: progress, previews
   * and cancellation. Opens the checkpoint where no call has done so.
   *
   * @return the service, with the queue of all calls; it is closed with this model
   * @throws UncheckedIOException if the checkpoint cannot be opened
   * @throws IllegalStateException if the model is closed
   */
  public ImageService service() {
    return service.open();
  }

  /**
   * The service, where a call has opened the checkpoint. Opens nothing.
   *
   * @return the service, or nothing before the first call
   */
  public Optional<ImageService> openService() {
    return service.opened();
  }

  /**
   * Why the checkpoint could not be opened. The next call tries again.
   *
   * @return what the last attempt threw; nothing before the first and after a good one
   */
  public Optional<Throwable> openingFailure() {
    return service.failure();
  }

  /**
   * Refuses new calls, cancels those that wait, lets the one that is being computed go on for some
   * time, and closes the checkpoint. Does not wait for a download, whose call ends with an {@link
   * IllegalStateException} when it is there. Closing twice does no harm.
   */
  @Override
  public void close() {
    service.closeWithin(shutdownTimeout);
  }
}
