package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.FileLayout;
import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.vae.Tiling.Scale;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The autoencoder between pictures and latents; diffusers' {@code AutoencoderKL}. Text to image
 * needs the decoder only, so a checkpoint may lack the encoder.
 *
 * <p>A model is immutable and may be used from several threads, each with a workspace of its own;
 * closing it unmaps its weights.
 */
public final class AutoencoderKL extends PretrainedModel<AutoencoderKLConfig> {
  private static final String COMPONENT = "vae";

  private static final ModelClass<AutoencoderKLConfig, AutoencoderKL> CLASS =
      new ModelClass<>(COMPONENT, Library.DIFFUSERS, AutoencoderKLConfig::of, AutoencoderKL::new);

  private final Optional<Conv2d> postQuantConv;
  private final Decoder decoder;
  private final Optional<Encoder> encoder;
  private final Optional<Conv2d> quantConv;
  private final String firstAbsent;

  private AutoencoderKL(AutoencoderKLConfig config, ModelFiles files) {
    super(config, files);
    Weights weights = files.weights();
    int latents = config.latentChannels();
    postQuantConv =
        config.usePostQuantConv()
            ? Optional.of(Conv2d.load(weights.at("post_quant_conv"), latents, latents, 1))
            : Optional.empty();
    decoder = Decoder.load(weights.at("decoder"), config);

    Weights optional = weights.optional();
    Encoder defined = Encoder.load(optional.at("encoder"), config);
    quantConv =
        config.useQuantConv()
            ? Optional.of(Conv2d.load(optional.at("quant_conv"), 2 * latents, 2 * latents, 1))
            : Optional.empty();
    firstAbsent = weights.firstAbsent().orElse("");
    encoder = firstAbsent.isEmpty() ? Optional.of(defined) : Optional.empty();
  }

  /**
   * Opens an autoencoder. Its weights are mapped, not read.
   *
   * @param directory the component's folder, with {@code config.json} and the weights
   * @param variant the weights' variant; where empty, {@code fp16} if it is there, else the plain
   *     one
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static AutoencoderKL load(Path directory, Optional<String> variant) throws IOException {
    return CLASS.load(directory, variant);
  }

  /**
   * Opens an autoencoder whose weights are in a file of one's own: under diffusers' names, today's
   * or its first ones, or under those of latent diffusion, as ComfyUI's checkpoints have them.
   *
   * @param directory the component's folder in a checkpoint, of which {@code config.json} is read
   * @param file the weights: safetensors
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static AutoencoderKL loadFile(Path directory, Path file) throws IOException {
    return CLASS.loadFile(directory, file, (json, _) -> json, AutoencoderKL::layouts);
  }

  private static List<FileLayout> layouts(List<Parameter> parameters) {
    return Stream.of(
            FileLayout.of(VaeNames.PREFIXES, Optional::of),
            FileLayout.of(VaeNames.PREFIXES, VaeNames.of(parameters)::ldm),
            FileLayout.of(VaeNames.PREFIXES, VaeNames::former))
        .flatMap(List::stream)
        .toList();
  }

  /**
   * An autoencoder over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public static AutoencoderKL of(AutoencoderKLConfig config, TensorSource source)
      throws InvalidFileException {
    return CLASS.of(config, source);
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines, also what this library does not read
   */
  public static List<Parameter> parameters(AutoencoderKLConfig config) {
    return CLASS.parameters(config);
  }

  /**
   * Whether the checkpoint has the encoder's weights, which {@link #encode} needs.
   *
   * @return false where any of them is missing
   */
  public boolean hasEncoder() {
    return encoder.isPresent();
  }

  /**
   * Encodes pictures, one after another. What is drawn from the result is to be multiplied by
   * {@link AutoencoderKLConfig#scalingFactor}.
   *
   * @param sample pictures {@code [n, H, W, inChannels]} from −1 to 1, each extent at least {@link
   *     AutoencoderKLConfig#scaleFactor}
   * @return the distribution of the latents, its parameters {@code [n, H/f, W/f, 2·latentChannels]}
   *     with f the scale factor, rounded down
   * @throws IllegalArgumentException if the pictures' shape does not fit
   * @throws IllegalStateException if the checkpoint has no encoder
   */
  public DiagonalGaussianDistribution encode(Tensor sample) {
    Encoder present = requireEncoder();
    Shape moments = momentsOf(sample);
    return new DiagonalGaussianDistribution(
        eachSample(sample, moments, one -> encodeOne(present, one)));
  }

  /**
   * Encodes pictures in overlapping tiles, which are blended; in the memory of one tile at any
   * size. The result is near that of {@link #encode}, not equal: a tile does not see the others. A
   * picture no larger than a tile is encoded as there.
   *
   * @param sample pictures {@code [n, H, W, inChannels]} from −1 to 1, each extent at least {@link
   *     AutoencoderKLConfig#scaleFactor}
   * @return as of {@link #encode}
   * @throws IllegalArgumentException if the pictures' shape does not fit
   * @throws IllegalStateException if the checkpoint has no encoder
   */
  public DiagonalGaussianDistribution encodeTiled(Tensor sample) {
    Encoder present = requireEncoder();
    Scale scale = new Scale(config().scaleFactor(), 1);
    return new DiagonalGaussianDistribution(
        tiled(sample, momentsOf(sample), scale, x -> encodeOne(present, x)));
  }

  private Tensor encodeOne(Encoder present, Tensor sample) {
    try (var scope = sample.workspace().scope();
        Tap.Pass tap = Tap.begin(COMPONENT)) {
      tap.input("sample", sample);
      Tensor moments = present.forward(sample, tap); // [1, h, w, 2·latentChannels]
      if (quantConv.isPresent()) {
        moments = quantConv.get().forward(moments);
        tap.output("quant_conv", moments);
      }
      return scope.keep(moments);
    }
  }

  /**
   * Decodes latents, which have been divided by {@link AutoencoderKLConfig#scalingFactor}, one
   * picture after another.
   *
   * @param latents {@code [n, h, w, latentChannels]}
   * @return the pictures {@code [n, H, W, outChannels]}, nominally from −1 to 1
   * @throws IllegalArgumentException if the latents' shape does not fit
   */
  public Tensor decode(Tensor latents) {
    return eachSample(latents, picturesOf(latents), this::decodeOne);
  }

  /**
   * Decodes latents in overlapping tiles, which are blended; in the memory of one tile at any size.
   * The result is near that of {@link #decode}, not equal: a tile does not see the others. Latents
   * no larger than a tile are decoded as there.
   *
   * @param latents {@code [n, h, w, latentChannels]}
   * @return the pictures {@code [n, H, W, outChannels]}, nominally from −1 to 1
   * @throws IllegalArgumentException if the latents' shape does not fit
   */
  public Tensor decodeTiled(Tensor latents) {
    return tiled(
        latents, picturesOf(latents), new Scale(1, config().scaleFactor()), this::decodeOne);
  }

  /** Each sample in tiles where it is larger than one, else as a whole. */
  private Tensor tiled(Tensor x, Shape shape, Scale scale, UnaryOperator<Tensor> forward) {
    Tiling tiling = config().tiling();
    if (!tiling.cuts(x, scale)) {
      return eachSample(x, shape, forward);
    }
    Shape one = Shape.of(1, shape.dim(1), shape.dim(2), shape.dim(3));
    return eachSample(x, shape, sample -> tiling.forward(sample, scale, one, forward));
  }

  private Tensor decodeOne(Tensor latents) {
    try (var scope = latents.workspace().scope();
        Tap.Pass tap = Tap.begin(COMPONENT)) {
      tap.input("latents", latents);
      Tensor z = latents;
      if (postQuantConv.isPresent()) {
        z = postQuantConv.get().forward(latents); // [1, h, w, latentChannels]
        tap.output("post_quant_conv", z);
      }
      return scope.keep(decoder.forward(z, tap)); // [1, H, W, outChannels]
    }
  }

  private Encoder requireEncoder() {
    return encoder.orElseThrow(
        () ->
            new IllegalStateException(
                ("[vae] %s is not in %s: encoding a picture needs the encoder's tensors, which text"
                        + " to image does without. Take a checkpoint that has them.")
                    .formatted(firstAbsent, path())));
  }

  /** The shape of encoded pictures, once theirs has been checked. */
  private Shape momentsOf(Tensor sample) {
    int f = config().scaleFactor();
    if (sample.shape().rank() != 4
        || sample.dim(3) != config().inChannels()
        || sample.dim(1) < f
        || sample.dim(2) < f) {
      throw new IllegalArgumentException(
          ("[vae] the pictures have the shape %s: [pictures, height, width, %s] is needed, with"
                  + " %s or more pixels in each direction.")
              .formatted(sample.shape(), config().inChannels(), f));
    }
    return Shape.of(
        sample.dim(0), sample.dim(1) / f, sample.dim(2) / f, 2 * config().latentChannels());
  }

  /** The shape of decoded latents, once theirs has been checked. */
  private Shape picturesOf(Tensor latents) {
    if (latents.shape().rank() != 4 || latents.dim(3) != config().latentChannels()) {
      throw new IllegalArgumentException(
          "[vae] the latents have the shape %s: [pictures, height, width, %s] is needed."
              .formatted(latents.shape(), config().latentChannels()));
    }
    int f = config().scaleFactor();
    return Shape.of(latents.dim(0), latents.dim(1) * f, latents.dim(2) * f, config().outChannels());
  }

  /** One sample after another: memory for one, and the same bytes whatever else is in the batch. */
  static Tensor eachSample(Tensor x, Shape shape, UnaryOperator<Tensor> forward) {
    int n = x.dim(0);
    if (n == 1) {
      return forward.apply(x);
    }
    Tensor y = x.workspace().tensor(shape);
    int in = x.shape().size() / Math.max(n, 1);
    int out = shape.size() / Math.max(n, 1);
    for (int i = 0; i < n; i++) {
      try (var _ = x.workspace().scope()) {
        Tensor one = x.workspace().tensor(1, x.dim(1), x.dim(2), x.dim(3));
        System.arraycopy(x.data(), i * in, one.data(), 0, in);
        System.arraycopy(forward.apply(one).data(), 0, y.data(), i * out, out);
      }
    }
    return y;
  }
}
