package io.github.kolors4j.vae;

import io.github.kolors4j.KolorsException;
import io.github.kolors4j.config.JsonConfig;
import io.github.kolors4j.config.Parameter;
import io.github.kolors4j.nn.Conv2d;
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
  private final Optional<Conv2d> postQuantConv;
  private final Decoder decoder;

  private AutoencoderKL(AutoencoderKLConfig config, Weights weights, TensorSource source) {
    this.config = config;
    this.source = source;
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
    AutoencoderKLConfig config =
        AutoencoderKLConfig.of(JsonConfig.read(directory.resolve("config.json")));
    TensorSource source = ShardedSafetensors.open(directory, "diffusion_pytorch_model", variant);
    try {
      return of(config, source);
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
    Weights weights = Weights.of(COMPONENT, source);
    AutoencoderKL model = new AutoencoderKL(config, weights, source);
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
    AutoencoderKL _ = new AutoencoderKL(config, weights, weights.source());
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

  /** Unmaps the weights; the model cannot be used afterwards. */
  @Override
  public void close() {
    source.close();
  }
}
