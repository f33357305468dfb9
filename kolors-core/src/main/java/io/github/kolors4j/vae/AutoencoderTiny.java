package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * An autoencoder of 2.4 million parameters, which has learnt what a VAE makes of latents: TAESD of
 * Ollin Boer Bohan; diffusers' {@code AutoencoderTiny}. It decodes with a ninth of the VAE's
 * multiply-adds, and invents the fine detail: for previews, and for who is in a hurry.
 *
 * <p>A model is immutable and may be used from several threads, each with a workspace of its own;
 * closing it unmaps its weights.
 */
public final class AutoencoderTiny extends PretrainedModel<AutoencoderTinyConfig> {
  private static final String COMPONENT = "taesd";
  private static final String CONFIG = "config.json";

  /** A tensor that files of this class alone have. */
  private static final String MARK = "decoder.layers.0.weight";

  private static final ModelClass<AutoencoderTinyConfig, AutoencoderTiny> CLASS =
      new ModelClass<>(
          COMPONENT, Library.DIFFUSERS, AutoencoderTinyConfig::of, AutoencoderTiny::new);

  private final DecoderTiny decoder;
  private final EncoderTiny encoder;

  private AutoencoderTiny(AutoencoderTinyConfig config, ModelFiles files) {
    super(config, files);
    Weights weights = files.weights();
    encoder = EncoderTiny.load(weights.at("encoder"), config);
    decoder = DecoderTiny.load(weights.at("decoder"), config);
  }

  /**
   * Opens a tiny autoencoder. Its weights are mapped, not read.
   *
   * @param path the folder, with {@code config.json} and the weights, as {@code
   *     madebyollin/taesdxl} has it; or the file of weights, which is TAESD's then
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static AutoencoderTiny load(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      return CLASS.load(path, Optional.empty());
    }
    TensorSource source = SafetensorsFile.open(path);
    try {
      return CLASS.of(AutoencoderTinyConfig.TAESD, source);
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  /**
   * Whether something is of this class, and not a whole VAE.
   *
   * @param path a folder or a safetensors file
   * @return whether {@link #load} would take it, as far as names tell
   * @throws IOException if a file cannot be read
   */
  public static boolean isOne(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      Path config = path.resolve(CONFIG);
      return Files.isRegularFile(config) && Files.readString(config).contains("AutoencoderTiny");
    }
    try (TensorSource file = SafetensorsFile.open(path)) {
      return file.find(MARK).isPresent();
    }
  }

  /**
   * A tiny autoencoder over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public static AutoencoderTiny of(AutoencoderTinyConfig config, TensorSource source)
      throws InvalidFileException {
    return CLASS.of(config, source);
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines
   */
  public static List<Parameter> parameters(AutoencoderTinyConfig config) {
    return CLASS.parameters(config);
  }

  /**
   * Encodes pictures, one after another: without a distribution to draw from.
   *
   * @param sample pictures {@code [n, H, W, inChannels]} from −1 to 1, each extent a multiple of
   *     {@link AutoencoderTinyConfig#scaleFactor}
   * @return latents {@code [n, H/f, W/f, latentChannels]}, to be multiplied by {@link
   *     AutoencoderTinyConfig#scalingFactor}
   * @throws IllegalArgumentException if the pictures' shape does not fit
   */
  public Tensor encode(Tensor sample) {
    int f = config().scaleFactor();
    if (sample.shape().rank() != 4
        || sample.dim(3) != config().inChannels()
        || sample.dim(1) % f != 0
        || sample.dim(2) % f != 0) {
      throw new IllegalArgumentException(
          "[vae] the pictures have the shape %s: [pictures, height, width, %s] is needed, with multiples of %s pixels in each direction."
              .formatted(sample.shape(), config().inChannels(), f));
    }
    Shape shape =
        Shape.of(sample.dim(0), sample.dim(1) / f, sample.dim(2) / f, config().latentChannels());
    return AutoencoderKL.eachSample(sample, shape, encoder::forward);
  }

  /**
   * Decodes latents, which have been divided by {@link AutoencoderTinyConfig#scalingFactor}, one
   * picture after another.
   *
   * @param latents {@code [n, h, w, latentChannels]}
   * @return the pictures {@code [n, H, W, outChannels]}, nominally from −1 to 1
   * @throws IllegalArgumentException if the latents' shape does not fit
   */
  public Tensor decode(Tensor latents) {
    if (latents.shape().rank() != 4 || latents.dim(3) != config().latentChannels()) {
      throw new IllegalArgumentException(
          "[vae] the latents have the shape %s: [pictures, height, width, %s] is needed."
              .formatted(latents.shape(), config().latentChannels()));
    }
    int f = config().scaleFactor();
    Shape shape =
        Shape.of(latents.dim(0), latents.dim(1) * f, latents.dim(2) * f, config().outChannels());
    return AutoencoderKL.eachSample(latents, shape, decoder::forward);
  }
}
