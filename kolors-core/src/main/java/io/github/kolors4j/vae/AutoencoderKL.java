package io.github.kolors4j.vae;

import io.github.kolors4j.KolorsException;
import io.github.kolors4j.SaveOptions;
import io.github.kolors4j.config.JsonConfig;
import io.github.kolors4j.config.Parameter;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.ModelFiles;
import io.github.kolors4j.nn.Weights;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The autoencoder between pictures and latents; diffusers' {@code AutoencoderKL}, of which text to
 * image needs the decoder.
 *
 * <p>A model is immutable and may be used from several threads, each with a workspace of its own;
 * closing it unmaps its weights.
 */
public final class AutoencoderKL implements AutoCloseable {
  private static final String COMPONENT = "vae";

  private final AutoencoderKLConfig config;
  private final TensorSource source;
  private final ModelFiles files;
  private final Optional<Conv2d> postQuantConv;
  private final Decoder decoder;

  private AutoencoderKL(AutoencoderKLConfig config, Weights weights, Optional<JsonConfig> json) {
    this.config = config;
    this.source = weights.source();
    this.files = ModelFiles.ofDiffusers(weights, json);
    int latents = config.latentChannels();
    postQuantConv =
        config.usePostQuantConv()
            ? Optional.of(Conv2d.load(weights.at("post_quant_conv"), latents, latents, 1))
            : Optional.empty();
    decoder = Decoder.load(weights.at("decoder"), config);

    Encoder.define(weights.unread().at("encoder"), config);
    if (config.useQuantConv()) {
      Conv2d.load(weights.unread().at("quant_conv"), 2 * latents, 2 * latents, 1);
    }
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
    JsonConfig json = JsonConfig.read(directory.resolve("config.json"));
    AutoencoderKLConfig config = AutoencoderKLConfig.of(json);
    TensorSource source = ShardedSafetensors.open(directory, "diffusion_pytorch_model", variant);
    try {
      return of(config, Optional.of(json), source);
    } catch (KolorsException | RuntimeException e) {
      source.close();
      throw e;
    }
  }

  /**
   * An autoencoder over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws KolorsException if a tensor is missing or wrong; the source stays open
   */
  public static AutoencoderKL of(AutoencoderKLConfig config, TensorSource source)
      throws KolorsException {
    return of(config, Optional.empty(), source);
  }

  private static AutoencoderKL of(
      AutoencoderKLConfig config, Optional<JsonConfig> json, TensorSource source)
      throws KolorsException {
    Weights weights = Weights.of(COMPONENT, source);
    AutoencoderKL model = new AutoencoderKL(config, weights, json);
    weights.requireComplete();
    return model;
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines, also what this library does not read
   */
  public static List<Parameter> parameters(AutoencoderKLConfig config) {
    Weights weights = Weights.definitions(COMPONENT);
    AutoencoderKL _ = new AutoencoderKL(config, weights, Optional.empty());
    return weights.defined();
  }

  /**
   * The configuration.
   *
   * @return the configuration
   */
  public AutoencoderKLConfig config() {
    return config;
  }

  /**
   * Decodes latents, which have been divided by {@link AutoencoderKLConfig#scalingFactor}.
   *
   * @param latents {@code [n, h, w, latentChannels]}
   * @return the pictures {@code [n, H, W, outChannels]}, nominally from −1 to 1
   * @throws IllegalArgumentException if the latents' shape does not fit
   */
  public Tensor decode(Tensor latents) {
    if (latents.shape().rank() != 4 || latents.dim(3) != config.latentChannels()) {
      throw new IllegalArgumentException(
          "[vae] the latents have the shape %s: [pictures, height, width, %d] is needed."
              .formatted(latents.shape(), config.latentChannels()));
    }
    try (var scope = latents.workspace().scope()) {
      Tensor z = postQuantConv.map(conv -> conv.forward(latents)).orElse(latents);
      return scope.keep(decoder.forward(z)); // [n, H, W, outChannels]
    }
  }

  /**
   * Saves the model as diffusers loads it: {@code config.json} as it was read, and all tensors,
   * also those that are not computed with, in the types that they are stored in.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @param options names and sizes of the files
   * @throws IOException if the folder has files, the disk is too small, or a file cannot be
   *     written; nothing is left then
   * @throws IllegalStateException if the model is closed, or is not from {@link #load}
   */
  public void savePretrained(Path directory, SaveOptions options) throws IOException {
    files.savePretrained(directory, options);
  }

  /**
   * Saves the model under the plain names, in files of the usual size.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @throws IOException as {@link #savePretrained(Path, SaveOptions)}
   * @throws IllegalStateException as {@link #savePretrained(Path, SaveOptions)}
   */
  public void savePretrained(Path directory) throws IOException {
    savePretrained(directory, SaveOptions.DEFAULT);
  }

  /**
   * The size of all tensors as they are stored, also of those that are not computed with.
   *
   * @return bytes
   */
  public long byteLength() {
    return files.byteLength();
  }

  /** Unmaps the weights; the model cannot be used afterwards. */
  @Override
  public void close() {
    source.close();
  }
}
