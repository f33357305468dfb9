package io.github.kolors4j.cli.benchmarks;

import com.sun.management.ThreadMXBean;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.adapter.AdapterFit;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.adapter.ModelAdapters;
import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.estimate.NominalWork;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.random.TorchGenerator;
import io.github.kolors4j.unet.Conditioning;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionInput;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import io.github.kolors4j.vae.AutoencoderTiny;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * One stage of a checkpoint, open and ready to be run again and again. Inputs are random normal
 * numbers, prompts are full: what the values are does not change the time.
 */
public abstract sealed class StageBenchmark implements AutoCloseable {
  private static final int TOKENS = 256;
  private static final int SIDE = 512;
  private static final float TIMESTEP = 500;
  private static final String PROMPT = "一只瓢虫";
  private static final float GUIDANCE_SCALE = 5;

  /** What a picture follows: it is resized, and what it shows does not change the time. */
  private static final KolorsImage BLACK = KolorsImage.of(SIDE, SIDE, new byte[3 * SIDE * SIDE]);

  /** What can be measured. */
  public enum Stage {
    /** The text encoder. */
    TEXT,
    /** A step of the U-Net. */
    UNET,
    /** A decode of the VAE. */
    VAE,
    /** From a prompt to a picture. */
    IMAGE
  }

  /**
   * What is measured.
   *
   * @param width of the picture in pixels
   * @param height of the picture in pixels
   * @param batch samples of the U-Net, prompts of the text encoder; one picture is decoded
   * @param steps of a whole picture
   */
  public record Size(int width, int height, int batch, int steps) {}

  /**
   * What is opened.
   *
   * @param directory folder of the checkpoint
   * @param variant which copy of the weights; empty for the usual one
   * @param files what takes the place of the checkpoint's weights
   * @param adapters what changes the weights of the U-Net and the text encoder
   * @param followed what a whole picture follows
   */
  public record Weights(
      Path directory,
      Optional<String> variant,
      SingleFiles files,
      Adapters adapters,
      Followed followed) {
    private Path folder(Stage stage) {
      return directory.resolve(
          switch (stage) {
            case TEXT -> "text_encoder";
            case UNET -> "unet";
            case VAE -> "vae";
            case IMAGE -> "";
          });
    }

    private JsonConfig config(Stage stage) throws IOException {
      return JsonConfig.read(folder(stage).resolve("config.json"));
    }

    /** What the adapters do to models of these configurations. */
    private ModelAdapters modelAdapters() throws IOException {
      if (adapters.uses().isEmpty()) {
        return new ModelAdapters(List.of(), List.of(), List.of());
      }
      Optional<ChatGlmConfig> text =
          Files.exists(folder(Stage.TEXT).resolve("config.json"))
              ? Optional.of(ChatGlmConfig.of(config(Stage.TEXT)))
              : Optional.empty();
      return ModelAdapters.of(UNet2DConditionConfig.of(config(Stage.UNET)), text, adapters);
    }
  }

  /**
   * Weights in files of their own; where empty, the checkpoint's.
   *
   * @param unet a U-Net
   * @param vae a VAE, or a tiny autoencoder
   * @param textEncoder a text encoder
   */
  public record SingleFiles(Optional<Path> unet, Optional<Path> vae, Optional<Path> textEncoder) {}

  /**
   * What a whole picture follows; nothing where empty.
   *
   * @param controlNet folder of a ControlNet
   * @param ipAdapter folder or file of an IP-Adapter, with its image encoder beside it
   */
  public record Followed(Optional<Path> controlNet, Optional<Path> ipAdapter) {}

  /**
   * The time of one run.
   *
   * @param seconds of what is repeated: one step of the U-Net, or the whole stage
   * @param flop nominal floating-point operations of these seconds
   * @param more other measures, by name: times in seconds, what a step allocated in MB
   */
  public record Run(double seconds, double flop, Map<String, Double> more) {}

  /**
   * What computes.
   *
   * @param threads how many threads
   * @param precision of the products
   */
  public record Engine(int threads, Precision precision) {}

  private final int adaptedModules;

  private StageBenchmark(List<AdapterFit> fits, ToIntFunction<AdapterFit> modules) {
    adaptedModules = fits.stream().mapToInt(modules).sum();
  }

  /**
   * How much of the stage the adapters change.
   *
   * @return the modules that each adapter updates, added up
   */
  public int adaptedModules() {
    return adaptedModules;
  }

  /**
   * Opens a stage.
   *
   * @param stage which
   * @param model where the checkpoint is
   * @param size what is measured
   * @param engine what computes
   * @return the stage, to be closed
   * @throws IOException if the checkpoint is not complete or not right
   * @throws IllegalArgumentException if the size is not possible
   */
  public static StageBenchmark open(Stage stage, Weights model, Size size, Engine engine)
      throws IOException {
    requirePositive("width", size.width());
    requirePositive("height", size.height());
    requirePositive("batch", size.batch());
    requirePositive("steps", size.steps());
    return switch (stage) {
      case TEXT -> new Text(model, model.modelAdapters(), size, engine);
      case UNET -> new UNet(model, model.modelAdapters(), size, engine);
      case VAE -> new Vae(model, size, engine);
      case IMAGE -> new Image(model, model.modelAdapters(), size, engine);
    };
  }

  /**
   * What a picture has in each direction unless somebody says otherwise.
   *
   * @param stage what is measured; the text encoder knows no pictures, and needs no other models
   * @param weights of which checkpoint
   * @return pixels: {@value #SIDE}, or what the model was trained on where that is less
   * @throws IOException if its configurations cannot be read
   */
  public static int defaultSide(Stage stage, Weights weights) throws IOException {
    if (stage == Stage.TEXT) {
      return SIDE;
    }
    OptionalInt cells = UNet2DConditionConfig.of(weights.config(Stage.UNET)).sampleSize();
    int factor = AutoencoderKLConfig.of(weights.config(Stage.VAE)).scaleFactor();
    return Math.min(SIDE, cells.isEmpty() ? SIDE : cells.getAsInt() * factor);
  }

  /**
   * Runs the stage once.
   *
   * @return its time
   */
  public abstract Run run();

  @Override
  public abstract void close();

  private static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("[bench] %s %d: use 1 or more.".formatted(name, value));
    }
  }

  /** What all threads have allocated since the start of the process. */
  private static long allocatedBytes() {
    return ManagementFactory.getPlatformMXBean(ThreadMXBean.class).getTotalThreadAllocatedBytes();
  }

  private static double secondsSince(long begin) {
    return (System.nanoTime() - begin) / 1e9;
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  private static void requirePossible(String what, long largestFeatureMap, Size size) {
    if (largestFeatureMap > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          ("[bench] %d x %d, batch %d: a feature map of the %s would have %,d values and 2^31-1 are"
                  + " the most: use a smaller size.")
              .formatted(size.width(), size.height(), size.batch(), what, largestFeatureMap));
    }
  }

  /** Height and width of the latents. */
  private record Latents(int height, int width) {
    static Latents of(Weights weights, Size size) throws IOException {
      return of(AutoencoderKLConfig.of(weights.config(Stage.VAE)).scaleFactor(), size);
    }

    static Latents of(int factor, Size size) {
      requireMultiple("width", size.width(), factor);
      requireMultiple("height", size.height(), factor);
      return new Latents(size.height() / factor, size.width() / factor);
    }

    private static void requireMultiple(String name, int value, int factor) {
      if (value % factor != 0) {
        throw new IllegalArgumentException(
            "[bench] %s %d is not a multiple of %d: use %d."
                .formatted(name, value, factor, Math.ceilDiv(value, factor) * (long) factor));
      }
    }
  }

  private static Tensor randn(Workspace workspace, TorchGenerator generator, int... dims) {
    Tensor tensor = workspace.tensor(dims);
    float[] values = generator.randn(tensor.shape().size());
    System.arraycopy(values, 0, tensor.data(), 0, values.length);
    return tensor;
  }

  private static final class Text extends StageBenchmark {
    private final ChatGlmModel stored;
    private final ChatGlmModel model;
    private final ThreadPool threads;
    private final Workspace workspace;
    private final int[][] ids;
    private final int[][] mask;
    private final int[][] positions;
    private final double flop;

    Text(Weights weights, ModelAdapters adapters, Size size, Engine engine) throws IOException {
      super(adapters.fits(), AdapterFit::textEncoderModules);
      Path folder = weights.folder(Stage.TEXT);
      Optional<Path> file = weights.files().textEncoder();
      stored =
          file.isPresent()
              ? ChatGlmModel.loadFile(folder, file.get())
              : ChatGlmModel.load(folder, weights.variant());
      model = adapters.textEncoder().isEmpty() ? stored : stored.adapted(adapters.textEncoder());
      ChatGlmConfig config = model.config();
      threads = new ThreadPool(engine.threads());
      workspace = new Workspace(threads, Products.of(engine.precision()));
      SplittableRandom random = new SplittableRandom(0);
      ids = new int[size.batch()][];
      mask = new int[size.batch()][TOKENS];
      positions = new int[size.batch()][TOKENS];
      int end = Math.min(5000, config.paddedVocabSize());
      for (int i = 0; i < size.batch(); i++) {
        ids[i] = random.ints(TOKENS, 5, end).toArray();
        Arrays.fill(mask[i], 1);
        Arrays.setAll(positions[i], position -> position);
      }
      flop = NominalWork.text(config, TOKENS).flop() * size.batch();
    }

    @Override
    public Run run() {
      try (var _ = workspace.scope()) {
        long begin = System.nanoTime();
        model.encode(workspace, ids, mask, positions);
        return new Run(secondsSince(begin), flop, Map.of());
      }
    }

    @Override
    public void close() {
      workspace.close();
      threads.close();
      stored.close();
    }
  }

  private static final class UNet extends StageBenchmark {
    private final UNet2DConditionModel stored;
    private final UNet2DConditionModel model;
    private final ThreadPool threads;
    private final Workspace workspace;
    private final Tensor sample;
    private final Tensor text;
    private final Tensor pooled;
    private final float[][] timeIds;
    private final double stepFlop;

    UNet(Weights weights, ModelAdapters adapters, Size size, Engine engine) throws IOException {
      super(adapters.fits(), AdapterFit::unetModules);
      Path folder = weights.folder(Stage.UNET);
      Latents latents = Latents.of(weights, size);
      int n = size.batch();
      Optional<Path> file = weights.files().unet();
      stored =
          file.isPresent()
              ? UNet2DConditionModel.loadFile(folder, file.get())
              : UNet2DConditionModel.load(folder, weights.variant());
      model = adapters.unet().isEmpty() ? stored : stored.adapted(adapters.unet());
      UNet2DConditionConfig config = model.config();
      requirePossible("U-Net", config.largestFeatureMap(n, latents.height, latents.width), size);
      threads = new ThreadPool(engine.threads());
      workspace = new Workspace(threads, Products.of(engine.precision()));
      TorchGenerator generator = new TorchGenerator(0);
      sample = randn(workspace, generator, n, latents.height, latents.width, config.inChannels());
      text = randn(workspace, generator, n, TOKENS, config.encoderHidDim());
      pooled = randn(workspace, generator, n, config.textEmbedDim());
      timeIds = new float[n][];
      Arrays.fill(
          timeIds, new float[] {size.height(), size.width(), 0, 0, size.height(), size.width()});
      stepFlop = NominalWork.unet(config, latents.height, latents.width, TOKENS).stepFlop() * n;
    }

    @Override
    public Run run() {
      try (var _ = workspace.scope()) {
        long begin = System.nanoTime();
        Conditioning conditioning = model.prepare(text, pooled, timeIds);
        double promptSeconds = secondsSince(begin);
        long allocated = allocatedBytes();
        begin = System.nanoTime();
        model.forward(UNet2DConditionInput.of(sample, TIMESTEP, conditioning));
        double seconds = secondsSince(begin);
        double garbage = (allocatedBytes() - allocated) / 1e6;
        return new Run(
            seconds, stepFlop, Map.of("prompt_seconds", promptSeconds, "garbage_mb", garbage));
      }
    }

    @Override
    public void close() {
      workspace.close();
      threads.close();
      stored.close();
    }
  }

  private static final class Vae extends StageBenchmark {
    private final Runnable closer;
    private final UnaryOperator<Tensor> decoder;
    private final ThreadPool threads;
    private final Workspace workspace;
    private final Tensor latents;
    private final double flop;

    Vae(Weights weights, Size size, Engine engine) throws IOException {
      super(List.of(), AdapterFit::unetModules);
      Path folder = weights.folder(Stage.VAE);
      Optional<Path> file = weights.files().vae();
      Latents cells;
      int channels;
      if (file.isPresent() && AutoencoderTiny.isOne(file.get())) {
        AutoencoderTiny model = AutoencoderTiny.load(file.get());
        closer = model::close;
        decoder = model::decode;
        channels = model.config().latentChannels();
        cells = Latents.of(model.config().scaleFactor(), size);
        flop = Double.NaN; // nobody has counted it
      } else {
        AutoencoderKL model =
            file.isPresent()
                ? AutoencoderKL.loadFile(folder, file.get())
                : AutoencoderKL.load(folder, weights.variant());
        closer = model::close;
        decoder = model::decode;
        AutoencoderKLConfig config = model.config();
        channels = config.latentChannels();
        cells = Latents.of(config.scaleFactor(), size);
        requirePossible("VAE", config.largestFeatureMap(cells.height, cells.width), size);
        flop = NominalWork.vae(config, cells.height, cells.width).flop();
      }
      threads = new ThreadPool(engine.threads());
      workspace = new Workspace(threads, Products.of(engine.precision()));
      latents = randn(workspace, new TorchGenerator(0), 1, cells.height, cells.width, channels);
    }

    @Override
    public Run run() {
      try (var _ = workspace.scope()) {
        long begin = System.nanoTime();
        Tensor _ = decoder.apply(latents);
        return new Run(secondsSince(begin), flop, Map.of());
      }
    }

    @Override
    public void close() {
      workspace.close();
      threads.close();
      closer.run();
    }
  }

  private static final class Image extends StageBenchmark {
    private final KolorsPipeline pipeline;
    private final ImageRequest request;
    private final double flop;

    Image(Weights weights, ModelAdapters adapters, Size size, Engine engine) throws IOException {
      super(adapters.fits(), fit -> fit.unetModules() + fit.textEncoderModules());
      Latents latents = Latents.of(weights, size);
      ImageRequest.Builder asked =
          ImageRequest.builder(PROMPT)
              .negativePrompt("")
              .size(size.width(), size.height())
              .numInferenceSteps(size.steps())
              .guidanceScale(GUIDANCE_SCALE)
              .seed(0)
              .adapters(weights.adapters());
      if (weights.followed().controlNet().isPresent()) {
        ControlNet net = ControlNet.of(weights.followed().controlNet().get());
        asked.controlNet(ControlNetInput.of(net, BLACK));
      }
      if (weights.followed().ipAdapter().isPresent()) {
        IpAdapter adapter = IpAdapter.of(weights.followed().ipAdapter().get());
        asked.imagePrompt(ImagePrompt.of(adapter, BLACK));
      }
      request = asked.build();
      UNet2DConditionConfig unet = UNet2DConditionConfig.of(weights.config(Stage.UNET));
      NominalWork step = NominalWork.unet(unet, latents.height, latents.width, TOKENS);
      NominalWork text = NominalWork.text(ChatGlmConfig.of(weights.config(Stage.TEXT)), TOKENS);
      NominalWork decode =
          NominalWork.vae(
              AutoencoderKLConfig.of(weights.config(Stage.VAE)), latents.height, latents.width);
      long promptWork = step.perPrompt() + text.perStep();
      flop = 2.0 * (2.0 * (promptWork + size.steps() * step.perStep()) + decode.perStep());
      KolorsPipeline.Builder builder =
          KolorsPipeline.builder(weights.directory())
              .threads(engine.threads())
              .precision(engine.precision());
      weights.variant().ifPresent(builder::variant);
      weights.files().unet().ifPresent(builder::unet);
      weights.files().vae().ifPresent(builder::vae);
      weights.files().textEncoder().ifPresent(builder::textEncoder);
      pipeline = builder.open();
    }

    @Override
    public Run run() {
      List<Long> ends = new ArrayList<>();
      RunControl control = RunControl.builder().onStepEnd(_ -> ends.add(System.nanoTime())).build();
      long begin = System.nanoTime();
      ImageResult result = pipeline.generate(request, control);
      double[] steps =
          IntStream.range(1, ends.size())
              .mapToDouble(i -> (ends.get(i) - ends.get(i - 1)) / 1e9)
              .sorted()
              .toArray();
      return new Run(
          secondsSince(begin),
          flop,
          Map.of(
              "step_seconds", steps.length == 0 ? Double.NaN : steps[steps.length / 2],
              "text_seconds", seconds(result.timings().text()),
              "denoise_seconds", seconds(result.timings().denoise()),
              "decode_seconds", seconds(result.timings().decode())));
    }

    @Override
    public void close() {
      pipeline.close();
    }
  }
}
