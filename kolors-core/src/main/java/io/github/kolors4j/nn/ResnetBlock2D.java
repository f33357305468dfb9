package io.github.kolors4j.nn;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Activation;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A residual block of two convolutions, in the U-Net conditioned on the timestep; diffusers' {@code
 * ResnetBlock2D}.
 *
 * @param norm1 over the input
 * @param conv1 {@code cIn} to {@code cOut}
 * @param timeEmbProj the timestep's embedding to {@code cOut}; none in the VAE
 * @param norm2 over the output of {@code conv1}
 * @param conv2 {@code cOut} to {@code cOut}
 * @param convShortcut {@code cIn} to {@code cOut}; none where they are equal
 */
public record ResnetBlock2D(
    GroupNorm norm1,
    Conv2d conv1,
    Optional<Linear> timeEmbProj,
    GroupNorm norm2,
    Conv2d conv2,
    Optional<Conv2d> convShortcut) {

  /**
   * What the blocks of a model have in common.
   *
   * @param tembChannels width of the timestep's embedding, where there is one
   * @param groups of the normalizations
   * @param eps of the normalizations
   */
  public record Config(OptionalInt tembChannels, int groups, float eps) {}

  /**
   * A block.
   *
   * @param weights the block's parameters
   * @param in channels of the input
   * @param out channels of the output
   * @param config what the blocks of the model have in common
   * @return the block
   */
  public static ResnetBlock2D load(Weights weights, int in, int out, Config config) {
    return new ResnetBlock2D(
        GroupNorm.load(weights.at("norm1"), in, config.groups, config.eps),
        Conv2d.load(weights.at("conv1"), in, out, 3),
        config.tembChannels.isPresent()
            ? Optional.of(
                Linear.load(weights.at("time_emb_proj"), config.tembChannels.getAsInt(), out))
            : Optional.empty(),
        GroupNorm.load(weights.at("norm2"), out, config.groups, config.eps),
        Conv2d.load(weights.at("conv2"), out, out, 3),
        in == out
            ? Optional.empty()
            : Optional.of(Conv2d.load(weights.at("conv_shortcut"), in, out, 1)));
  }

  /**
   * The blocks of one resolution, of which the first may change the channels.
   *
   * @param weights the blocks' parameters, {@code 0.} to {@code layers − 1.}
   * @param in channels of the first block's input
   * @param out channels of all outputs
   * @param layers how many blocks
   * @param config what the blocks of the model have in common
   * @return the blocks, in order
   */
  public static List<ResnetBlock2D> loadAll(
      Weights weights, int in, int out, int layers, Config config) {
    return IntStream.range(0, layers)
        .mapToObj(i -> load(weights.at(i), i == 0 ? in : out, out, config))
        .toList();
  }

  /**
   * The block without a timestep.
   *
   * @param x {@code [n, h, w, cIn]}
   * @return {@code [n, h, w, cOut]}
   */
  public Tensor forward(Tensor x) {
    return forward(x, Optional.empty());
  }

  /**
   * The block at a timestep.
   *
   * @param x {@code [n, h, w, cIn]}
   * @param temb the timestep's embedding {@code [n, d]}
   * @return {@code [n, h, w, cOut]}
   */
  public Tensor forward(Tensor x, Tensor temb) {
    return forward(x, timeEmbProj.map(proj -> proj.forward(Activation.silu(temb)))); // [n, cOut]
  }

  private Tensor forward(Tensor input, Optional<Tensor> shift) {
    try (var scope = input.workspace().scope()) {
      Tensor normed = norm1.forwardSilu(input);
      Tensor hidden =
          shift
              .map(perPixel -> conv1.forward(normed, perPixel))
              .orElseGet(() -> conv1.forward(normed)); // [n, h, w, cOut]
      scope.release(normed);

      Tensor normed2 = norm2.forwardSilu(hidden);
      scope.release(hidden);

      Tensor shortcut = convShortcut.map(conv -> conv.forward(input)).orElse(input);
      return scope.keep(conv2.forward(normed2, shortcut)); // [n, h, w, cOut]
    }
  }
}
