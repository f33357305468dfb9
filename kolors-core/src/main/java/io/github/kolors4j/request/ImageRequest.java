package io.github.kolors4j.request;

import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What to make: a prompt and, under diffusers' names and with diffusers' defaults, all that can be
 * said about the picture. An immutable value that can be stored, compared and generated again; who
 * watches it run is given beside it, as a {@link RunControl}.
 *
 * {@snippet :
 * ImageRequest request =
 *     ImageRequest.builder("一只瓢虫,蓝色背景")
 *         .negativePrompt("模糊")
 *         .numInferenceSteps(25)
 *         .guidanceScale(6.5)
 *         .seed(66)
 *         .build();
 * ImageRequest another = request.toBuilder().seed(67).build();
 * }
 *
 * <p>A value that no model could use, such as 0 steps, is refused where it is given. What depends
 * on the model or on other values is checked when the request is generated, before any work.
 */
public final class ImageRequest {
  /** The longest context that Kolors was trained with, in tokens. */
  public static final int MAX_SEQUENCE_LENGTH = 256;

  private static final int DEFAULT_STEPS = 50;

  private final List<String> prompts;
  private final List<String> negativePrompts;
  private final Optional<PromptEmbeds> embeds;
  private final int maxSequenceLength;
  private final OptionalInt height;
  private final OptionalInt width;
  private final MicroConditioning sizes;
  private final Start start;
  private final Steps steps;
  private final OptionalDouble denoisingEnd;
  private final double eta;
  private final int predictEvery;
  private final Guidance guidance;
  private final int numImagesPerPrompt;
  private final List<Long> seeds;
  private final GeneratorType rng;
  private final OutputType outputType;
  private final boolean vaeTiling;
  private final Compatibility compatibility;
  private final Adapters adapters;
  private final List<ImagePrompt> imagePrompts;
  private final List<ControlNetInput> controlNets;

  private ImageRequest(Builder builder) {
    prompts = builder.prompts;
    negativePrompts = builder.negativePrompts;
    embeds = builder.embeds;
    maxSequenceLength = builder.maxSequenceLength;
    height = builder.height;
    width = builder.width;
    sizes = builder.sizes;
    start = builder.start();
    steps = builder.steps;
    denoisingEnd = builder.denoisingEnd;
    eta = builder.eta;
    predictEvery = builder.predictEvery;
    guidance = builder.guidance;
    numImagesPerPrompt = builder.numImagesPerPrompt;
    seeds = builder.seeds;
    rng = builder.rng;
    outputType = builder.outputType;
    vaeTiling = builder.vaeTiling;
    compatibility = builder.compatibility;
    adapters = builder.adapters;
    imagePrompts = builder.imagePrompts;
    controlNets = builder.controlNets;
    if (prompts.isEmpty() && embeds.isEmpty()) {
      throw new IllegalArgumentException(
          "[request] the list of prompts is empty: give at least one, which may be empty text.");
    }
  }

  /**
   * A request for one picture, with all else at its default.
   *
   * @param prompt what it shows, in Chinese or English
   * @return the request
   * @throws IllegalArgumentException if the prompt is null
   */
  public static ImageRequest of(String prompt) {
    return builder(prompt).build();
  }

  /**
   * A request for one picture of each prompt, with all else at its default.
   *
   * @param prompts what they show
   * @return the request
   * @throws IllegalArgumentException if there is no prompt or one is null
   */
  public static ImageRequest of(List<String> prompts) {
    return builder(prompts).build();
  }

  /**
   * A request for one picture of each encoded prompt, with all else at its default.
   *
   * @param embeds what they show
   * @return the request
   */
  public static ImageRequest of(PromptEmbeds embeds) {
    return builder(embeds).build();
  }

  /**
   * Begins a request for one picture.
   *
   * @param prompt what it shows, in Chinese or English
   * @return what builds it
   * @throws IllegalArgumentException if the prompt is null
   */
  public static Builder builder(String prompt) {
    if (prompt == null) {
      throw new IllegalArgumentException(
          "[request] the prompt is null: give a text, which may be empty.");
    }
    return builder(List.of(prompt));
  }

  /**
   * Begins a request for one picture of each prompt.
   *
   * @param prompts what they show
   * @return what builds it
   * @throws IllegalArgumentException if there is no prompt or one is null
   */
  public static Builder builder(List<String> prompts) {
    return new Builder().prompts(prompts);
  }

  /**
   * Begins a request for one picture of each encoded prompt.
   *
   * @param embeds what they show
   * @return what builds it
   */
  public static Builder builder(PromptEmbeds embeds) {
    Builder builder = new Builder();
    builder.embeds = Optional.of(embeds);
    return builder;
  }

  /**
   * Begins with what this request says.
   *
   * @return what builds another one
   */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /**
   * What the pictures show.
   *
   * @return one prompt or several, each may be empty text; none where there are {@link #embeds}
   */
  public List<String> prompts() {
    return prompts;
  }

  /**
   * What the pictures should not show; without guidance it has no effect.
   *
   * @return one for all prompts, or one a prompt; none means empty text, as {@code
   *     negative_prompt=None}
   */
  public List<String> negativePrompts() {
    return negativePrompts;
  }

  /**
   * Encoded prompts in place of {@link #prompts}.
   *
   * @return diffusers' {@code prompt_embeds} and its kin
   */
  public Optional<PromptEmbeds> embeds() {
    return embeds;
  }

  /**
   * Tokens that the model reads of a prompt, its two first included. Less is faster and gives
   * another picture (diffusers ignores it).
   *
   * @return 1 to {@value #MAX_SEQUENCE_LENGTH}, by default {@value #MAX_SEQUENCE_LENGTH}
   */
  public int maxSequenceLength() {
    return maxSequenceLength;
  }

  /**
   * The pictures' height.
   *
   * @return in pixels, a multiple of 8 and of the pixels of a latent cell; empty for that of the
   *     image that is redrawn, or what the U-Net was trained on
   */
  public OptionalInt height() {
    return height;
  }

  /**
   * The pictures' width.
   *
   * @return in pixels, like {@link #height}
   */
  public OptionalInt width() {
    return width;
  }

  /**
   * What the U-Net is told of sizes.
   *
   * @return SDXL's micro-conditioning, by default the picture's own size
   */
  public MicroConditioning sizes() {
    return sizes;
  }

  /**
   * Where the pictures begin.
   *
   * @return drawn noise, given noise or a picture
   */
  public Start start() {
    return start;
  }

  /**
   * The denoising steps.
   *
   * @return their number, by default 50, or exactly which
   */
  public Steps steps() {
    return steps;
  }

  /**
   * The share of the way to go, so that another request can go on from the latents.
   *
   * @return between 0 and 1; empty for all of it
   */
  public OptionalDouble denoisingEnd() {
    return denoisingEnd;
  }

  /**
   * How much noise DDIM and TCD add in each step; other schedulers do not look at it.
   *
   * @return 0 to 1, by default 0
   */
  public double eta() {
    return eta;
  }

  /**
   * In which steps the U-Net predicts: in every nth, besides the first five and the last two. The
   * predictions of the others lie on the line through the last two that were made.
   *
   * @return 1 for all, as by default
   */
  public int predictEvery() {
    return predictEvery;
  }

  /**
   * What the prediction of each step is led by.
   *
   * @return the scales, by default a guidance scale of 5
   */
  public Guidance guidance() {
    return guidance;
  }

  /**
   * How many images of each prompt.
   *
   * @return 1 or more
   */
  public int numImagesPerPrompt() {
    return numImagesPerPrompt;
  }

  /**
   * Seeds of the noise, 0 to 2⁶⁴−1 as in PyTorch: those from 2⁶³ on are the negative numbers, and
   * {@link Long#toUnsignedString(long)} writes them.
   *
   * @return one {@code S} for all images, which gives them {@code S, S+1, …}, or one an image; none
   *     means that a random one is drawn and reported
   */
  public List<Long> seeds() {
    return seeds;
  }

  /**
   * Which of PyTorch's generators the seeds are for.
   *
   * @return by default that of the CPU in F32
   */
  public GeneratorType rng() {
    return rng;
  }

  /**
   * What the result has.
   *
   * @return pictures, or their latents
   */
  public OutputType outputType() {
    return outputType;
  }

  /**
   * Whether the VAE works on overlapping tiles: less memory, a picture that differs a little.
   *
   * @return by default false
   */
  public boolean vaeTiling() {
    return vaeTiling;
  }

  /**
   * What happens where diffusers has faults.
   *
   * @return by default they are mended
   */
  public Compatibility compatibility() {
    return compatibility;
  }

  /**
   * The adapters that change the U-Net and the text encoder.
   *
   * @return by default none
   */
  public Adapters adapters() {
    return adapters;
  }

  /**
   * The pictures that lead the request through ControlNets; what they add is summed.
   *
   * @return by default none
   */
  public List<ControlNetInput> controlNets() {
    return controlNets;
  }

  /**
   * The images that the pictures are to be like, beside their prompts.
   *
   * @return by default none
   */
  public List<ImagePrompt> imagePrompts() {
    return imagePrompts;
  }

  /**
   * The number of prompts, as texts or encoded.
   *
   * @return 1 or more
   */
  public int numPrompts() {
    return embeds.map(PromptEmbeds::prompts).orElse(prompts.size());
  }

  /**
   * The number of images.
   *
   * @return prompts times images per prompt
   * @throws ArithmeticException if they are more than 2³¹−1
   */
  public int numImages() {
    return Math.multiplyExact(numPrompts(), numImagesPerPrompt);
  }

  /**
   * One of the images as a request of its own: with its prompts, its seed and its picture to begin
   * with. It gives the same bytes, except that under {@link Compatibility#DIFFUSERS} the sizes that
   * the U-Net is told of one image depend on the others.
   *
   * @param image which one, from 0: all images of the first prompt, then those of the second
   * @return the request for that image; this one where it has no other
   * @throws IndexOutOfBoundsException if there is none
   */
  public ImageRequest only(int image) {
    Objects.checkIndex(image, numImages());
    if (numImages() == 1) {
      return this;
    }
    int prompt = image / numImagesPerPrompt;
    Builder one = toBuilder();
    one.prompts = prompts.isEmpty() ? prompts : List.of(prompts.get(prompt));
    one.negativePrompts = ofOne(negativePrompts, prompt);
    one.embeds = embeds.map(all -> all.prompt(prompt));
    one.latents = start.given().map(all -> all.row(image));
    start
        .image()
        .ifPresent(
            from -> {
              one.images = ofOne(from.images(), image);
              one.imageLatents =
                  from.encoded().map(all -> all.shape().dim(0) == 1 ? all : all.row(image));
            });
    if (seeds.size() == 1) {
      one.seeds = List.of(seeds.getFirst() + image);
    } else if (!seeds.isEmpty()) {
      one.seeds = List.of(seeds.get(image));
    }
    return one.numImagesPerPrompt(1).build();
  }

  /** One for all, or the one of an index. */
  private static <T> List<T> ofOne(List<T> values, int index) {
    return values.size() < 2 ? values : List.of(values.get(index));
  }

  /**
   * The whole request as JSON, on one line, under the names of diffusers' arguments: {@code
   * {"prompt": "一只瓢虫", "height": 1024, "num_inference_steps": 50, …}}. Arrays are objects of their
   * {@code shape} and their values in Base64, pictures are PNG in Base64. {@link #fromJson} gives
   * an equal request.
   *
   * @return an object with everything that the request says, also where it is a default
   */
  public String toJson() {
    return JsonWriter.compact(RequestJson.write(this));
  }

  /**
   * The request of a JSON object, as {@link #toJson} writes it. Keys may be missing, and have
   * diffusers' defaults then; text and numbers that can be several may be one by itself.
   *
   * @param json an object with a {@code prompt} or {@code prompt_embeds}
   * @return the request
   * @throws IllegalArgumentException if it is not one JSON object, a key is unknown, or a value not
   *     one that the builder takes; with one sentence that names the key
   */
  public static ImageRequest fromJson(String json) {
    if (json == null) {
      throw new IllegalArgumentException(
          "[request] the JSON is null: give an object, as {\"prompt\": \"...\"}.");
    }
    try {
      JsonReader reader = JsonReader.of(json);
      Map<String, Object> values = reader.object();
      reader.end();
      return RequestJson.read(values);
    } catch (JsonException e) {
      throw new IllegalArgumentException("[request] the JSON " + e.reason(), e);
    }
  }

  /**
   * The names of the arguments that {@link #fromJson} knows.
   *
   * @return diffusers' names, as {@code num_inference_steps}; unmodifiable
   */
  public static Set<String> argumentNames() {
    return RequestJson.keys();
  }

  /** What makes a request what it is, by diffusers' names. */
  private Map<String, Object> values() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("prompts", prompts);
    values.put("negativePrompts", negativePrompts);
    values.put("embeds", embeds);
    values.put("maxSequenceLength", maxSequenceLength);
    values.put("height", height);
    values.put("width", width);
    values.put("sizes", sizes);
    values.put("start", start);
    values.put("steps", steps);
    values.put("denoisingEnd", denoisingEnd);
    values.put("eta", eta);
    values.put("predictEvery", predictEvery);
    values.put("guidance", guidance);
    values.put("numImagesPerPrompt", numImagesPerPrompt);
    values.put("seeds", seeds.stream().map(Long::toUnsignedString).toList());
    values.put("rng", rng);
    values.put("outputType", outputType);
    values.put("vaeTiling", vaeTiling);
    values.put("compatibility", compatibility);
    values.put("adapters", adapters);
    values.put("imagePrompts", imagePrompts);
    values.put("controlNets", controlNets);
    return values;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImageRequest request && values().equals(request.values());
  }

  @Override
  public int hashCode() {
    return values().hashCode();
  }

  /** All that is not at its default. */
  @Override
  public String toString() {
    Map<String, Object> defaults = of("").values();
    return values().entrySet().stream()
        .filter(entry -> !entry.getValue().equals(defaults.get(entry.getKey())))
        .map(entry -> entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining(", ", "ImageRequest[", "]"));
  }

  /**
   * A request that is being put together. Every value is checked by itself where it is given, and
   * {@link #build} may be called any number of times.
   */
  public static final class Builder {
    private List<String> prompts = List.of();
    private List<String> negativePrompts = List.of();
    private Optional<PromptEmbeds> embeds = Optional.empty();
    private int maxSequenceLength = MAX_SEQUENCE_LENGTH;
    private OptionalInt height = OptionalInt.empty();
    private OptionalInt width = OptionalInt.empty();
    private MicroConditioning sizes = MicroConditioning.DEFAULT;
    private Optional<FloatArray> latents = Optional.empty();
    private List<KolorsImage> images = List.of();
    private Optional<FloatArray> imageLatents = Optional.empty();
    private OptionalDouble strength = OptionalDouble.empty();
    private OptionalDouble denoisingStart = OptionalDouble.empty();
    private Optional<Mask> mask = Optional.empty();
    private Steps steps = Steps.of(DEFAULT_STEPS);
    private OptionalDouble denoisingEnd = OptionalDouble.empty();
    private double eta = 0;
    private int predictEvery = 1;
    private Guidance guidance = Guidance.DEFAULT;
    private int numImagesPerPrompt = 1;
    private List<Long> seeds = List.of();
    private GeneratorType rng = GeneratorType.CPU;
    private OutputType outputType = OutputType.IMAGE;
    private boolean vaeTiling = false;
    private Compatibility compatibility = Compatibility.MENDED;
    private Adapters adapters = Adapters.NONE;
    private List<ImagePrompt> imagePrompts = List.of();
    private List<ControlNetInput> controlNets = List.of();

    private Builder() {}

    private Builder(ImageRequest request) {
      prompts = request.prompts;
      negativePrompts = request.negativePrompts;
      embeds = request.embeds;
      maxSequenceLength = request.maxSequenceLength;
      height = request.height;
      width = request.width;
      sizes = request.sizes;
      start(request.start);
      steps = request.steps;
      denoisingEnd = request.denoisingEnd;
      eta = request.eta;
      predictEvery = request.predictEvery;
      guidance = request.guidance;
      numImagesPerPrompt = request.numImagesPerPrompt;
      seeds = request.seeds;
      rng = request.rng;
      outputType = request.outputType;
      vaeTiling = request.vaeTiling;
      compatibility = request.compatibility;
      adapters = request.adapters;
      imagePrompts = request.imagePrompts;
      controlNets = request.controlNets;
    }

    /**
     * What the pictures show.
     *
     * @param prompts one picture, or {@link #numImagesPerPrompt} of them, for each
     * @return this
     * @throws IllegalArgumentException if one is null
     */
    public Builder prompts(List<String> prompts) {
      this.prompts = copyOf("prompt", prompts);
      return this;
    }

    /**
     * What the pictures should not show, for all prompts.
     *
     * @param negativePrompt a text, which may be empty
     * @return this
     * @throws IllegalArgumentException if it is null
     */
    public Builder negativePrompt(String negativePrompt) {
      if (negativePrompt == null) {
        throw new IllegalArgumentException(
            "[request] the negative prompt is null: leave it out, or give a text.");
      }
      return negativePrompts(List.of(negativePrompt));
    }

    /**
     * What the pictures of each prompt should not show.
     *
     * @param negativePrompts one a prompt, or one for all, or none
     * @return this
     * @throws IllegalArgumentException if one is null
     */
    public Builder negativePrompts(List<String> negativePrompts) {
      this.negativePrompts = copyOf("negative prompt", negativePrompts);
      return this;
    }

    /**
     * How much of a prompt the model reads.
     *
     * @param maxSequenceLength 1 to {@value ImageRequest#MAX_SEQUENCE_LENGTH} tokens
     * @return this
     * @throws IllegalArgumentException if it is outside that
     */
    public Builder maxSequenceLength(int maxSequenceLength) {
      if (maxSequenceLength < 1 || maxSequenceLength > MAX_SEQUENCE_LENGTH) {
        throw new IllegalArgumentException(
            "[request] max sequence length %s is outside 1 to %s: Kolors reads at most %s tokens."
                .formatted(maxSequenceLength, MAX_SEQUENCE_LENGTH, MAX_SEQUENCE_LENGTH));
      }
      this.maxSequenceLength = maxSequenceLength;
      return this;
    }

    /**
     * The pictures' height.
     *
     * @param height in pixels, a multiple of 8
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder height(int height) {
      this.height = OptionalInt.of(positive("height", height));
      return this;
    }

    /**
     * The pictures' width.
     *
     * @param width in pixels, a multiple of 8
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder width(int width) {
      this.width = OptionalInt.of(positive("width", width));
      return this;
    }

    /**
     * The pictures' size.
     *
     * @param width in pixels, a multiple of 8
     * @param height in pixels, a multiple of 8
     * @return this
     * @throws IllegalArgumentException if one is below 1
     */
    public Builder size(int width, int height) {
      return width(width).height(height);
    }

    /**
     * What the U-Net is told of sizes, all at once.
     *
     * @param sizes SDXL's micro-conditioning
     * @return this
     */
    public Builder sizes(MicroConditioning sizes) {
      this.sizes = Objects.requireNonNull(sizes, "sizes");
      return this;
    }

    /**
     * The size that the U-Net is told the picture had before it was cut.
     *
     * @param height in pixels
     * @param width in pixels
     * @return this
     * @throws IllegalArgumentException if one is below 1
     */
    public Builder originalSize(int height, int width) {
      return sizes(sizes.withOriginalSize(new MicroConditioning.Size(height, width)));
    }

    /**
     * The size that the U-Net is told the picture is to look like.
     *
     * @param height in pixels
     * @param width in pixels
     * @return this
     * @throws IllegalArgumentException if one is below 1
     */
    public Builder targetSize(int height, int width) {
      return sizes(sizes.withTargetSize(new MicroConditioning.Size(height, width)));
    }

    /**
     * Where the U-Net is told the picture was cut out.
     *
     * @param top in pixels from the upper edge
     * @param left in pixels from the left edge
     * @return this
     */
    public Builder cropsCoordsTopLeft(int top, int left) {
      return sizes(sizes.withCropsCoordsTopLeft(new MicroConditioning.Crop(top, left)));
    }

    /**
     * The original size of what the picture should not be like; acts together with {@link
     * #negativeTargetSize}.
     *
     * @param height in pixels
     * @param width in pixels
     * @return this
     * @throws IllegalArgumentException if one is below 1
     */
    public Builder negativeOriginalSize(int height, int width) {
      return sizes(sizes.withNegativeOriginalSize(new MicroConditioning.Size(height, width)));
    }

    /**
     * The target size of what the picture should not be like; acts together with {@link
     * #negativeOriginalSize}.
     *
     * @param height in pixels
     * @param width in pixels
     * @return this
     * @throws IllegalArgumentException if one is below 1
     */
    public Builder negativeTargetSize(int height, int width) {
      return sizes(sizes.withNegativeTargetSize(new MicroConditioning.Size(height, width)));
    }

    /**
     * The crop of what the picture should not be like; acts together with the other two.
     *
     * @param top in pixels from the upper edge
     * @param left in pixels from the left edge
     * @return this
     */
    public Builder negativeCropsCoordsTopLeft(int top, int left) {
      return sizes(sizes.withNegativeCropsCoordsTopLeft(new MicroConditioning.Crop(top, left)));
    }

    /**
     * Given noise in place of drawn noise; with an {@link #image}, what the first step that is
     * taken sees.
     *
     * @param latents {@code [n, c, h/f, w/f]} in PyTorch's order for n images, before the
     *     multiplication by the scheduler's initial sigma
     * @return this
     */
    public Builder latents(FloatArray latents) {
      this.latents = Optional.of(latents);
      return this;
    }

    /**
     * Image to image: redraws a picture.
     *
     * @param image the picture that all begin with, of any size
     * @return this
     */
    public Builder image(KolorsImage image) {
      return images(List.of(image));
    }

    /**
     * Image to image: redraws pictures.
     *
     * @param images one for all, or one a picture, of any size
     * @return this
     */
    public Builder images(List<KolorsImage> images) {
      this.images = List.copyOf(images);
      imageLatents = Optional.empty();
      return this;
    }

    /**
     * Image to image, from latents.
     *
     * @param latents {@code [1 or n, c, h/f, w/f]} in PyTorch's order, as a request for latents
     *     gives them
     * @return this
     */
    public Builder imageLatents(FloatArray latents) {
      imageLatents = Optional.of(latents);
      images = List.of();
      return this;
    }

    /**
     * Inpainting: redraws a part of the {@link #image}. With a U-Net that was trained for it, or
     * with any other.
     *
     * @param mask white where the picture is painted anew, black where it stays
     * @return this
     */
    public Builder mask(KolorsImage mask) {
      return mask(Mask.of(mask));
    }

    /**
     * Inpainting of a region by itself, at the whole size of the request; it is put back into the
     * picture.
     *
     * @param mask white where the picture is painted anew, black where it stays
     * @param paddingMaskCrop the margin around what is marked, in pixels
     * @return this
     * @throws IllegalArgumentException if the margin is negative
     */
    public Builder mask(KolorsImage mask, int paddingMaskCrop) {
      return mask(Mask.cropped(mask, paddingMaskCrop));
    }

    /**
     * Redraws the {@link #image} here more and there less. A request has one mask: a {@link
     * #strengthMap} or another mask takes the place of the one before.
     *
     * @param mask where, and how much
     * @return this
     */
    public Builder mask(Mask mask) {
      this.mask = Optional.of(mask);
      return this;
    }

    /**
     * Differential image to image: how long each part of the {@link #image} is kept. Takes the
     * place of a {@link #mask}.
     *
     * @param map the brighter, the longer
     * @return this
     */
    public Builder strengthMap(KolorsImage map) {
      return mask(new Mask.StrengthMap(map));
    }

    /**
     * How much of the image is redrawn.
     *
     * @param strength 0 nothing, 1 everything; by default 0.3, with a mask for inpainting 0.9999
     * @return this
     */
    public Builder strength(double strength) {
      this.strength = OptionalDouble.of(strength);
      return this;
    }

    /**
     * Image to image that goes on where another request ended, in place of a strength.
     *
     * @param denoisingStart that request's {@code denoisingEnd}, between 0 and 1
     * @return this
     */
    public Builder denoisingStart(double denoisingStart) {
      this.denoisingStart = OptionalDouble.of(denoisingStart);
      return this;
    }

    /**
     * Where the pictures begin, all at once.
     *
     * @param start drawn noise, given noise or a picture
     * @return this
     */
    public Builder start(Start start) {
      latents = start.given();
      Optional<Start.Image> image = start.image();
      images = image.map(Start.Image::images).orElse(List.of());
      imageLatents = image.flatMap(Start.Image::encoded);
      strength =
          image.map(from -> OptionalDouble.of(from.strength())).orElse(OptionalDouble.empty());
      denoisingStart = image.map(Start.Image::denoisingStart).orElse(OptionalDouble.empty());
      mask = image.flatMap(Start.Image::mask);
      return this;
    }

    private Start start() {
      if (!images.isEmpty() || imageLatents.isPresent()) {
        return new Start.Image(
            images,
            imageLatents,
            strength.orElse(defaultStrength()),
            denoisingStart,
            latents,
            mask);
      }
      if (mask.isPresent()) {
        throw new IllegalArgumentException(
            "[request] a mask without an image: it says where the image is redrawn, give the image too.");
      }
      if (strength.isPresent() || denoisingStart.isPresent()) {
        throw new IllegalArgumentException(
            "[request] %s without an image: it is for image to image, give the image too."
                .formatted(strength.isPresent() ? "strength" : "denoising_start"));
      }
      return latents.<Start>map(Start.Latents::new).orElseGet(Start.Noise::new);
    }

    private double defaultStrength() {
      return mask.isPresent() && mask.get() instanceof Mask.Inpainting
          ? Start.Image.DEFAULT_INPAINTING_STRENGTH
          : Start.Image.DEFAULT_STRENGTH;
    }

    /**
     * The number of denoising steps; more are slower and, up to a point, better.
     *
     * @param numInferenceSteps 1 or more; by default 50
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder numInferenceSteps(int numInferenceSteps) {
      if (numInferenceSteps < 1) {
        throw new IllegalArgumentException(
            "[request] %s inference steps: use 1 or more.".formatted(numInferenceSteps));
      }
      return steps(Steps.of(numInferenceSteps));
    }

    /**
     * The timesteps themselves in place of a number of steps.
     *
     * @param timesteps one a step, the noisiest first
     * @return this
     * @throws IllegalArgumentException if there are none, or one is not finite
     */
    public Builder timesteps(double... timesteps) {
      return steps(new Steps.Timesteps(floats(timesteps)));
    }

    /**
     * The noise levels themselves in place of a number of steps.
     *
     * @param sigmas one before each step and one after the last, the noisiest first
     * @return this
     * @throws IllegalArgumentException if there are fewer than two, or one is negative or not
     *     finite
     */
    public Builder sigmas(double... sigmas) {
      return steps(new Steps.Sigmas(floats(sigmas)));
    }

    /**
     * The denoising steps.
     *
     * @param steps their number, or exactly which
     * @return this
     */
    public Builder steps(Steps steps) {
      this.steps = Objects.requireNonNull(steps, "steps");
      return this;
    }

    /**
     * An early end, so that another request can go on from the latents.
     *
     * @param denoisingEnd the share of the way to go, between 0 and 1
     * @return this
     * @throws IllegalArgumentException if it is not between them
     */
    public Builder denoisingEnd(double denoisingEnd) {
      this.denoisingEnd = OptionalDouble.of(denoisingEnd);
      Fractions.check("denoising_end", this.denoisingEnd);
      return this;
    }

    /**
     * How much noise DDIM and TCD add in each step.
     *
     * @param eta 0 to 1
     * @return this
     * @throws IllegalArgumentException if it is outside that
     */
    public Builder eta(double eta) {
      Fractions.checkShare("eta", eta);
      this.eta = eta;
      return this;
    }

    /**
     * Leaves out predictions of the U-Net, which are nearly all of the work: it makes those of
     * every nth step, of the first five and of the last two, and the others lie on the line through
     * the last two that were made. For Euler's method alone (another scheduler is refused when the
     * request is generated), and another picture.
     *
     * @param predictEvery 1 for all steps; 2 or 3 for about half or a third of the work
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder predictEvery(int predictEvery) {
      if (predictEvery < 1) {
        throw new IllegalArgumentException(
            "[request] predict_every %s: use 1 for all steps, or more.".formatted(predictEvery));
      }
      this.predictEvery = predictEvery;
      return this;
    }

    /**
     * What the prediction of each step is led by, all at once.
     *
     * @param guidance the scales
     * @return this
     */
    public Builder guidance(Guidance guidance) {
      this.guidance = Objects.requireNonNull(guidance, "guidance");
      return this;
    }

    /**
     * How strongly the prompt rules.
     *
     * @param guidanceScale at most 1 for no guidance, which halves the work; by default 5
     * @return this
     * @throws IllegalArgumentException if it is not finite
     */
    public Builder guidanceScale(double guidanceScale) {
      return guidance(guidance.withScale(guidanceScale));
    }

    /**
     * How far the contrast that guidance adds is taken back.
     *
     * @param guidanceRescale 0 not at all, 1 to that of the prompt's own prediction
     * @return this
     * @throws IllegalArgumentException if it is outside that
     */
    public Builder guidanceRescale(double guidanceRescale) {
      return guidance(guidance.withRescale(guidanceRescale));
    }

    /**
     * Perturbed-attention guidance, all at once.
     *
     * @param pag how strong and where
     * @return this
     */
    public Builder pag(PerturbedAttentionGuidance pag) {
      return guidance(guidance.withPag(pag));
    }

    /**
     * How strong perturbed-attention guidance is; diffusers' default, where it is on, is 3.
     *
     * @param scale 0 for none
     * @return this
     * @throws IllegalArgumentException if it is negative or not finite
     */
    public Builder pagScale(double scale) {
      PerturbedAttentionGuidance pag = guidance.pag();
      return pag(new PerturbedAttentionGuidance(scale, pag.adaptiveScale(), pag.appliedLayers()));
    }

    /**
     * How perturbed-attention guidance falls on the way.
     *
     * @param adaptiveScale by how much its scale falls for each timestep below 1000
     * @return this
     * @throws IllegalArgumentException if it is negative or not finite
     */
    public Builder pagAdaptiveScale(double adaptiveScale) {
      PerturbedAttentionGuidance pag = guidance.pag();
      return pag(new PerturbedAttentionGuidance(pag.scale(), adaptiveScale, pag.appliedLayers()));
    }

    /**
     * Where perturbed-attention guidance acts.
     *
     * @param appliedLayers parts of the self-attentions' names as diffusers has them
     * @return this
     * @throws IllegalArgumentException if there is none
     */
    public Builder pagAppliedLayers(List<String> appliedLayers) {
      PerturbedAttentionGuidance pag = guidance.pag();
      return pag(new PerturbedAttentionGuidance(pag.scale(), pag.adaptiveScale(), appliedLayers));
    }

    /**
     * How many images of each prompt.
     *
     * @param numImagesPerPrompt 1 or more
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder numImagesPerPrompt(int numImagesPerPrompt) {
      if (numImagesPerPrompt < 1) {
        throw new IllegalArgumentException(
            "[request] %s images per prompt: use 1 or more.".formatted(numImagesPerPrompt));
      }
      this.numImagesPerPrompt = numImagesPerPrompt;
      return this;
    }

    /**
     * A seed: the images get it and its successors, after 2⁶⁴−1 from 0 on.
     *
     * @param seed 0 to 2⁶⁴−1, as {@link Long#parseUnsignedLong(String)} reads it; as in PyTorch, of
     *     generators on the CPU only the lower 32 bits count
     * @return this
     */
    public Builder seed(long seed) {
      return seeds(seed);
    }

    /**
     * A seed for each image.
     *
     * @param seeds one an image, all images of the first prompt first
     * @return this
     */
    public Builder seeds(long... seeds) {
      return seeds(LongStream.of(seeds).boxed().toList());
    }

    /**
     * A seed for each image.
     *
     * @param seeds one an image, or one for all, or none
     * @return this
     * @throws IllegalArgumentException if one is null
     */
    public Builder seeds(List<Long> seeds) {
      this.seeds = copyOf("seed", seeds);
      return this;
    }

    /**
     * Which of PyTorch's generators the seeds are for.
     *
     * @param rng by default that of the CPU in F32
     * @return this
     */
    public Builder rng(GeneratorType rng) {
      this.rng = Objects.requireNonNull(rng, "rng");
      return this;
    }

    /**
     * What the result has.
     *
     * @param outputType pictures, or their latents
     * @return this
     */
    public Builder outputType(OutputType outputType) {
      this.outputType = Objects.requireNonNull(outputType, "outputType");
      return this;
    }

    /**
     * With or without tiles in the VAE.
     *
     * @param vaeTiling whether it works on overlapping tiles
     * @return this
     */
    public Builder vaeTiling(boolean vaeTiling) {
      this.vaeTiling = vaeTiling;
      return this;
    }

    /**
     * Changes the U-Net and the text encoder by adapters, such as LoRA.
     *
     * @param adapters which ones, and how strongly; they come after those of the pipeline
     * @return this
     */
    public Builder adapters(Adapters adapters) {
      this.adapters = Objects.requireNonNull(adapters, "adapters");
      return this;
    }

    /**
     * Leads the picture by another one, through a ControlNet.
     *
     * @param input which ControlNet, the picture, and how strongly; it is added to those given
     *     before
     * @return this
     */
    public Builder controlNet(ControlNetInput input) {
      return controlNets(Stream.concat(controlNets.stream(), Stream.of(input)).toList());
    }

    /**
     * Leads the picture by others, through ControlNets.
     *
     * @param inputs all of them, in place of those given before
     * @return this
     */
    public Builder controlNets(List<ControlNetInput> inputs) {
      controlNets = List.copyOf(inputs);
      return this;
    }

    /**
     * Lets the pictures be like images, too.
     *
     * @param imagePrompt the images, and by which adapter
     * @return this
     */
    public Builder imagePrompt(ImagePrompt imagePrompt) {
      return imagePrompts(List.of(imagePrompt));
    }

    /**
     * Lets the pictures be like images, too; what several add, adds up.
     *
     * @param imagePrompts in the place of those that were given before
     * @return this
     */
    public Builder imagePrompts(List<ImagePrompt> imagePrompts) {
      this.imagePrompts = copyOf("image prompt", imagePrompts);
      return this;
    }

    /**
     * With the reference's faults, or without.
     *
     * @param compatibility which
     * @return this
     */
    public Builder compatibility(Compatibility compatibility) {
      this.compatibility = Objects.requireNonNull(compatibility, "compatibility");
      return this;
    }

    /**
     * The request.
     *
     * @return as it was put together
     * @throws IllegalArgumentException if there is neither a prompt nor an encoded one, or a
     *     strength without an image
     */
    public ImageRequest build() {
      return new ImageRequest(this);
    }

    private static <T> List<T> copyOf(String what, List<? extends T> values) {
      if (values == null) {
        throw new IllegalArgumentException(
            "[request] the list of %ss is null: give an empty one for none.".formatted(what));
      }
      for (int i = 0; i < values.size(); i++) {
        if (values.get(i) == null) {
          throw new IllegalArgumentException("[request] %s %s is null.".formatted(what, i));
        }
      }
      return List.copyOf(values);
    }

    private static int positive(String side, int pixels) {
      if (pixels < 1) {
        throw new IllegalArgumentException(
            "[request] %s %s: a picture has at least one latent cell, 8 pixels or more."
                .formatted(side, pixels));
      }
      return pixels;
    }

    private static float[] floats(double... values) {
      float[] floats = new float[values.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) values[i];
      }
      return floats;
    }
  }
}
