package io.github.kolors4j.langchain4j;

import static dev.langchain4j.spi.ServiceHelper.loadFactories;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.langchain4j.spi.KolorsImageModelBuilderFactory;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Mask;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.request.TruncatedPrompt;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.service.ImageService;
import io.github.kolors4j.service.JobOptions;
import io.github.kolors4j.service.QueueFullException;
import io.github.kolors4j.tensor.Precision;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Kolors as LangChain4j's {@link ImageModel}: text to picture, and picture to picture, in this JVM.
 *
 * {@snippet :
 * try (KolorsImageModel model =
 *     KolorsImageModel.builder()
 *         .model("Kwai-Kolors/Kolors-diffusers")
 *         .numInferenceSteps(25)
 *         .seed(66L)
 *         .build()) {
 *   Image image = model.generate("一只瓢虫,蓝色背景").content();
 *   byte[] png = Base64.getDecoder().decode(image.base64Data());
 * }
 * }
 *
 * <p>All options are the builder's, under diffusers' names and with diffusers' defaults, as
 * LangChain4j's calls have none. Pictures are PNG in Base64, with the bytes that {@link
 * KolorsImage#save} writes of the same request and seed. The metadata of a response have:
 *
 * <ul>
 *   <li>{@code seed}, a {@code Long}, or {@code seeds}, a list of them, where there are several
 *       pictures: 0 to 2⁶⁴−1, and those from 2⁶³ on are negative;
 *   <li>{@code width}, {@code height} and {@code num_inference_steps}, {@code Integer}, and {@code
 *       guidance_scale}, a {@code Double};
 *   <li>{@code model} and {@code scheduler}, {@code String};
 *   <li>{@code timings}, {@link Timings};
 *   <li>{@code truncated_prompts}, a list of {@link TruncatedPrompt}, where the model could not
 *       read all of a prompt.
 * </ul>
 *
 * <p>Thread-safe. Calls are computed one after another in the order in which they came, as each of
 * them uses all cores; a bounded number waits. An interrupt of a waiting thread cancels its call.
 */
public final class KolorsImageModel implements ImageModel, AutoCloseable {
  private static final String PNG = "image/png";

  private final String modelName;
  private final ImageRequest options;
  private final @Nullable Double strength;
  private final ImageService service;
  private final JobOptions jobOptions;
  private final String schedulerName;

  /**
   * Opens a checkpoint: minutes where it has to be downloaded, else about a second.
   *
   * @param builder which one, and how its pictures are to be made
   * @throws IllegalArgumentException if no checkpoint is named, or an option is one that it cannot
   *     use
   * @throws UncheckedIOException if it cannot be opened; the message names the file and what to do
   */
  public KolorsImageModel(KolorsImageModelBuilder builder) {
    options = builder.options();
    strength = builder.strength;
    KolorsPipeline pipeline = builder.open();
    try {
      Scheduler scheduler = builder.scheduler(pipeline.scheduler());
      RunControl control = builder.control();
      pipeline.withScheduler(scheduler).check(options, control);
      modelName =
          builder.model == null
              ? pipeline.identity().name()
              : ModelReference.publicName(builder.model);
      schedulerName = scheduler.className();
      jobOptions = JobOptions.builder().scheduler(scheduler).control(control).build();
      service = builder.service(pipeline);
    } catch (RuntimeException e) {
      if (builder.pipeline == null) {
        pipeline.close();
      }
      throw e;
    }
  }

  /**
   * Begins a model.
   *
   * @return what builds it: that of the first {@link KolorsImageModelBuilderFactory} that is found,
   *     else a plain one
   */
  public static KolorsImageModelBuilder builder() {
    Iterator<KolorsImageModelBuilderFactory> factories =
        loadFactories(KolorsImageModelBuilderFactory.class).iterator();
    return factories.hasNext() ? factories.next().get() : new KolorsImageModelBuilder();
  }

  /**
   * What the model is called.
   *
   * @return the last part of the folder's path, or the repository as it was given
   */
  public String modelName() {
    return modelName;
  }

  /**
   * Makes a picture, and waits for it.
   *
   * @param prompt what it shows, in Chinese or English
   * @return the picture
   * @throws IllegalArgumentException if the prompt is null
   * @throws QueueFullException if too many calls are waiting
   * @throws GenerationCancelledException if the thread was interrupted, the time is over, or the
   *     model closed
   * @throws IllegalStateException if the model is closed
   */
  @Override
  public Response<Image> generate(String prompt) {
    return one(make(prompt, UnaryOperator.identity()));
  }

  /**
   * Makes pictures of one prompt, and waits for all of them.
   *
   * @param prompt what they show, in Chinese or English
   * @param n how many, 1 or more; with a seed {@code S} their seeds are {@code S, S+1, …}
   * @return the pictures
   * @throws IllegalArgumentException if the prompt is null, or there are fewer than 1
   * @throws QueueFullException if too many calls are waiting
   * @throws GenerationCancelledException if the thread was interrupted, the time is over, or the
   *     model closed
   * @throws IllegalStateException if the model is closed
   */
  @Override
  public Response<List<Image>> generate(String prompt, int n) {
    ImageResult result = make(prompt, request -> request.numImagesPerPrompt(n));
    Map<String, Object> metadata = metadata(result);
    metadata.put("seeds", result.seeds());
    return Response.from(
        result.images().stream().map(KolorsImageModel::image).toList(), null, null, metadata);
  }

  /**
   * Redraws a picture: image to image, with the builder's strength.
   *
   * @param image its bytes in Base64: PNG, JPEG, GIF or BMP, and with the module {@code
   *     kolors-images} TIFF or WebP. A URL is refused, as nothing is fetched
   * @param prompt what the new picture shows
   * @return the new picture, of the size of the old one where the builder has none
   * @throws IllegalArgumentException if there are no bytes, or they are no picture; if the prompt
   *     is null
   * @throws QueueFullException if too many calls are waiting
   * @throws GenerationCancelledException if the thread was interrupted, the time is over, or the
   *     model closed
   * @throws IllegalStateException if the model is closed
   */
  @Override
  public Response<Image> edit(Image image, String prompt) {
    KolorsImage from = picture(image);
    return one(
        make(
            prompt,
            request ->
                strength == null ? request.image(from) : request.image(from).strength(strength)));
  }

  /**
   * Paints a part of a picture anew; everything else keeps its very pixels.
   *
   * @param image its bytes in Base64, as for {@link #edit(Image, String)}
   * @param mask of the picture's size, its bytes in Base64. What is transparent in a PNG is painted
   *     anew, as OpenAI has it; of a mask without transparency what is white, as diffusers has it
   * @param prompt what the new part shows
   * @return the new picture, of the size of the old one
   * @throws IllegalArgumentException if there are no bytes, or they are no picture; if the sizes
   *     differ, the mask marks nothing, or the prompt is null
   * @throws QueueFullException if too many calls are waiting
   * @throws GenerationCancelledException if the thread was interrupted, the time is over, or the
   *     model closed
   * @throws IllegalStateException if the model is closed
   */
  @Override
  public Response<Image> edit(Image image, Image mask, String prompt) {
    KolorsImage from = picture(image);
    KolorsImage marked = mask(mask);
    if (from.width() != marked.width() || from.height() != marked.height()) {
      throw new IllegalArgumentException(
          "[langchain4j] the mask is %sx%s pixels and the image to edit %sx%s: they must be of one size."
              .formatted(marked.width(), marked.height(), from.width(), from.height()));
    }
    return one(
        make(
            prompt,
            request -> {
              request.image(from).mask(Mask.overlaid(marked));
              if (strength != null) {
                request.strength(strength);
              }
              return paintedAtItsSize(request, from);
            }));
  }

  /** The picture's own size, where the builder has none. */
  private ImageRequest.Builder paintedAtItsSize(ImageRequest.Builder request, KolorsImage from) {
    int multiple = Math.max(8, service.pipeline().vaeScaleFactor());
    if (options.width().isEmpty()) {
      request.width(Math.max(multiple, from.width() - from.width() % multiple));
    }
    if (options.height().isEmpty()) {
      request.height(Math.max(multiple, from.height() - from.height() % multiple));
    }
    return request;
  }

  private ImageResult make(String prompt, UnaryOperator<ImageRequest.Builder> change) {
    if (prompt == null) {
      throw new IllegalArgumentException(
          "[langchain4j] the prompt is null: give a text, which may be empty.");
    }
    ImageRequest.Builder request = options.toBuilder().prompts(List.of(prompt));
    return service.generate(change.apply(request).build(), jobOptions);
  }

  private static KolorsImage picture(Image image) {
    byte[] bytes = bytes("image to edit", image);
    try {
      return KolorsImage.read(bytes, "the image to edit", PictureLimits.DEFAULT);
    } catch (InvalidPictureException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** White where the picture is painted anew. */
  private static KolorsImage mask(Image mask) {
    byte[] bytes = bytes("mask", mask);
    try {
      Optional<KolorsImage> transparency =
          KolorsImage.readTransparency(bytes, "the mask", PictureLimits.DEFAULT);
      return transparency.isPresent()
          ? transparency.get()
          : KolorsImage.read(bytes, "the mask", PictureLimits.DEFAULT);
    } catch (InvalidPictureException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static byte[] bytes(String what, Image image) {
    String base64 = image.base64Data();
    if (base64 == null || base64.isEmpty()) {
      throw new IllegalArgumentException(
          image.url() == null
              ? "[langchain4j] the %s is empty: give its bytes as base64Data.".formatted(what)
              : "[langchain4j] the %s is a URL, and nothing is fetched: give its bytes as base64Data."
                  .formatted(what));
    }
    try {
      return Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "[langchain4j] the %s is not Base64 (%s): encode the file's bytes."
              .formatted(what, e.getMessage()),
          e);
    }
  }

  private Response<Image> one(ImageResult result) {
    Map<String, Object> metadata = metadata(result);
    metadata.put("seed", result.seeds().getFirst());
    return Response.from(image(result.image()), null, null, metadata);
  }

  private Map<String, Object> metadata(ImageResult result) {
    Map<String, Object> metadata = result.summary();
    metadata.put("model", modelName);
    metadata.put("scheduler", schedulerName);
    return metadata;
  }

  private static Image image(KolorsImage picture) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      picture.writeTo(png);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail so
    }
    return Image.builder()
        .base64Data(Base64.getEncoder().encodeToString(png.toByteArray()))
        .mimeType(PNG)
        .build();
  }

  /**
   * Refuses new calls, cancels those that wait, and waits for the one that is being computed; an
   * interrupt cancels that too. Then the checkpoint is closed, unless the builder was given an open
   * pipeline. Closing twice does no harm.
   */
  @Override
  public void close() {
    service.close();
  }

  /**
   * What a model is to be. An option that is left out, or null, has diffusers' default.
   *
   * <p>Open to subclasses, which a {@link KolorsImageModelBuilderFactory} may give.
   */
  public static class KolorsImageModelBuilder {
    private @Nullable String model;
    private @Nullable KolorsPipeline pipeline;
    private @Nullable String variant;
    private @Nullable Precision precision;
    private @Nullable Integer threads;
    private @Nullable String scheduler;
    private @Nullable Integer numInferenceSteps;
    private @Nullable Double guidanceScale;
    private @Nullable String negativePrompt;
    private @Nullable Long seed;
    private @Nullable Integer width;
    private @Nullable Integer height;
    private @Nullable Double strength;
    private @Nullable Duration timeout;
    private @Nullable Integer queueCapacity;

    /** A builder without any option; public, so that it can be extended. */
    public KolorsImageModelBuilder() {}

    /**
     * The checkpoint.
     *
     * @param model a folder in diffusers' layout if there is one of that name, else {@code
     *     owner/name} or {@code owner/name@revision} at the Hugging Face hub, which is downloaded
     *     if it is not in the cache
     * @return this
     */
    public KolorsImageModelBuilder model(@Nullable String model) {
      this.model = model;
      return this;
    }

    /**
     * An open pipeline in place of a checkpoint, for all that can be said when one is opened:
     * adapters, remembered prompts, another VAE. The model does not close it.
     *
     * @param pipeline which others may use at the same time
     * @return this
     */
    public KolorsImageModelBuilder pipeline(@Nullable KolorsPipeline pipeline) {
      this.pipeline = pipeline;
      return this;
    }

    /**
     * Which copy of the weights.
     *
     * @param variant as in the file names, such as {@code fp16}; by default that one where it is
     *     there
     * @return this
     */
    public KolorsImageModelBuilder variant(@Nullable String variant) {
      this.variant = variant;
      return this;
    }

    /**
     * What products are computed in.
     *
     * @param precision by default F32; BF16 needs {@code kolors-x86} and a CPU that has it
     * @return this
     */
    public KolorsImageModelBuilder precision(@Nullable Precision precision) {
      this.precision = precision;
      return this;
    }

    /**
     * How many threads compute.
     *
     * @param threads 1 or more; by default as many as there are cores. Pictures do not depend on it
     * @return this
     */
    public KolorsImageModelBuilder threads(@Nullable Integer threads) {
      this.threads = threads;
      return this;
    }

    /**
     * The scheduler, with the options of the checkpoint's own.
     *
     * @param scheduler the name of a class, as {@code DPMSolverMultistepScheduler}, or a short one,
     *     as {@code dpmsolver++}; by default the checkpoint's
     * @return this
     */
    public KolorsImageModelBuilder scheduler(@Nullable String scheduler) {
      this.scheduler = scheduler;
      return this;
    }

    /**
     * The number of denoising steps.
     *
     * @param numInferenceSteps 1 or more; by default 50
     * @return this
     */
    public KolorsImageModelBuilder numInferenceSteps(@Nullable Integer numInferenceSteps) {
      this.numInferenceSteps = numInferenceSteps;
      return this;
    }

    /**
     * How strongly the prompt rules.
     *
     * @param guidanceScale at most 1 for no guidance, which halves the work; by default 5
     * @return this
     */
    public KolorsImageModelBuilder guidanceScale(@Nullable Double guidanceScale) {
      this.guidanceScale = guidanceScale;
      return this;
    }

    /**
     * What pictures should not show.
     *
     * @param negativePrompt by default empty text
     * @return this
     */
    public KolorsImageModelBuilder negativePrompt(@Nullable String negativePrompt) {
      this.negativePrompt = negativePrompt;
      return this;
    }

    /**
     * The seed of every call: the same prompt then gives the same picture.
     *
     * @param seed 0 to 2⁶⁴−1, those from 2⁶³ on as negative numbers; by default a random one a
     *     call, which its metadata tell
     * @return this
     */
    public KolorsImageModelBuilder seed(@Nullable Long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * The pictures' width.
     *
     * @param width in pixels, a multiple of 8; by default that of the picture to edit, or 1024 for
     *     Kolors
     * @return this
     */
    public KolorsImageModelBuilder width(@Nullable Integer width) {
      this.width = width;
      return this;
    }

    /**
     * The pictures' height.
     *
     * @param height in pixels, a multiple of 8; by default that of the picture to edit, or 1024 for
     *     Kolors
     * @return this
     */
    public KolorsImageModelBuilder height(@Nullable Integer height) {
      this.height = height;
      return this;
    }

    /**
     * How much of a picture {@link KolorsImageModel#edit(Image, String)} redraws, or of the part
     * that a mask marks.
     *
     * @param strength 0 nothing, 1 everything; by default 0.3, and 0.9999 with a mask
     * @return this
     */
    public KolorsImageModelBuilder strength(@Nullable Double strength) {
      this.strength = strength;
      return this;
    }

    /**
     * How long a call may compute; what it has waited before does not count.
     *
     * @param timeout above zero; by default for ever
     * @return this
     */
    public KolorsImageModelBuilder timeout(@Nullable Duration timeout) {
      this.timeout = timeout;
      return this;
    }

    /**
     * How many calls may wait for their turn; one more is refused.
     *
     * @param queueCapacity 0 to refuse all that cannot start at once; by default 16
     * @return this
     */
    public KolorsImageModelBuilder queueCapacity(@Nullable Integer queueCapacity) {
      this.queueCapacity = queueCapacity;
      return this;
    }

    /**
     * Opens the checkpoint.
     *
     * @return the model, to be closed
     * @throws IllegalArgumentException if no checkpoint is named, or an option is one that it
     *     cannot use
     * @throws UncheckedIOException if it cannot be opened; the message names the file and what to
     *     do
     */
    public KolorsImageModel build() {
      return new KolorsImageModel(this);
    }

    private ImageRequest options() {
      ImageRequest.Builder request = ImageRequest.builder("");
      if (numInferenceSteps != null) {
        request.numInferenceSteps(numInferenceSteps);
      }
      if (guidanceScale != null) {
        request.guidanceScale(guidanceScale);
      }
      if (negativePrompt != null) {
        request.negativePrompt(negativePrompt);
      }
      if (seed != null) {
        request.seed(seed);
      }
      if (width != null) {
        request.width(width);
      }
      if (height != null) {
        request.height(height);
      }
      return request.build();
    }

    private KolorsPipeline open() {
      if (pipeline != null) {
        return pipeline;
      }
      if (model == null || model.isBlank()) {
        throw new IllegalArgumentException(
            "[langchain4j] no model: name a folder, or owner/name at the hub.");
      }
      KolorsPipeline.Builder opening = KolorsPipeline.builder(model);
      if (variant != null) {
        opening.variant(variant);
      }
      if (precision != null) {
        opening.precision(precision);
      }
      if (threads != null) {
        opening.threads(threads);
      }
      try {
        return opening.open();
      } catch (IOException e) {
        throw new UncheckedIOException(e.getMessage(), e);
      }
    }

    private Scheduler scheduler(Scheduler own) {
      return Schedulers.chosen(own, scheduler, Map.of());
    }

    private RunControl control() {
      RunControl.Builder control = RunControl.builder();
      if (timeout != null) {
        control.timeLimit(timeout);
      }
      return control.build();
    }

    private ImageService service(KolorsPipeline pipeline) {
      ImageService.Builder service = ImageService.builder(pipeline);
      if (this.pipeline == null) {
        service.ownsPipeline();
      }
      if (queueCapacity != null) {
        service.queueCapacity(queueCapacity);
      }
      return service.build();
    }
  }
}
