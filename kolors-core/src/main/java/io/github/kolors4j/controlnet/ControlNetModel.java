package io.github.kolors4j.controlnet;

import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Elementwise;
import io.github.kolors4j.unet.AdditionalResiduals;
import io.github.kolors4j.unet.Conditioning;
import io.github.kolors4j.unet.UNetEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A network that leads a U-Net by a picture (Zhang et al. 2023): the half of a U-Net that goes
 * down, with weights of its own, to which the picture is added at the beginning, and of which each
 * residual is added to the U-Net's; diffusers' {@code ControlNetModel}.
 *
 * <p>Those of Kolors also have a projection of the text of their own, which diffusers' class has
 * and does not apply. What depends on prompt, sizes and picture alone is computed once, by {@link
 * #prepare} and {@link #embed}, and {@link #forward} is called for each step. A model is immutable
 * and may be used from several threads, each with a workspace of its own; closing it unmaps its
 * weights.
 */
public final class ControlNetModel extends PretrainedModel<ControlNetConfig> {
  private static final String COMPONENT = "controlnet";

  private static final ModelClass<ControlNetConfig, ControlNetModel> CLASS =
      new ModelClass<>(COMPONENT, Library.DIFFUSERS, ControlNetConfig::of, ControlNetModel::new);

  private final UNetEncoder encoder;
  private final ControlNetConditioningEmbedding controlnetCondEmbedding;

  /** Diffusers calls them zero convolutions, as training began with zeros in them. */
  private final List<Linear> controlnetDownBlocks;

  private final Linear controlnetMidBlock;

  private ControlNetModel(ControlNetConfig config, ModelFiles files) {
    super(config, files);
    Weights weights = files.weights();

    // input, time, text and sizes, down, mid
    encoder = UNetEncoder.load(weights, config.encoder());

    // the picture
    controlnetCondEmbedding =
        ControlNetConditioningEmbedding.load(weights.at("controlnet_cond_embedding"), config);

    // what goes to the U-Net
    List<Linear> blocks = new ArrayList<>();
    for (Shape residual : config.encoder().residuals(Shape.of(1, 1, 1, 1))) {
      int c = residual.dim(3);
      blocks.add(
          Linear.loadPointwise(weights.at("controlnet_down_blocks").at(blocks.size()), c, c));
    }
    controlnetDownBlocks = List.copyOf(blocks);
    int c = config.encoder().blockOutChannels().getLast();
    controlnetMidBlock = Linear.loadPointwise(weights.at("controlnet_mid_block"), c, c);
  }

  /**
   * Opens a ControlNet. Its weights are mapped, not read.
   *
   * @param directory its folder, with {@code config.json} and the weights
   * @param variant the weights' variant; where empty, {@code fp16} if it is there, else the plain
   *     one, as Kolors' are published
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static ControlNetModel load(Path directory, Optional<String> variant) throws IOException {
    return CLASS.load(directory, variant);
  }

  /**
   * Opens a ControlNet in the variant that its folder has.
   *
   * @param directory its folder, with {@code config.json} and the weights
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static ControlNetModel load(Path directory) throws IOException {
    return load(directory, Optional.empty());
  }

  /**
   * A ControlNet over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public static ControlNetModel of(ControlNetConfig config, TensorSource source)
      throws InvalidFileException {
    return CLASS.of(config, source);
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines
   */
  public static List<Parameter> parameters(ControlNetConfig config) {
    return CLASS.parameters(config);
  }

  /**
   * Computes what of prompt and sizes stays the same in every step.
   *
   * @param encoderHiddenStates the text {@code [n, s, encoderHidDim]}
   * @param textEmbeds the pooled text {@code [n, textEmbedDim]}
   * @param timeIds for each sample the original height and width, the crop's top and left, and the
   *     target's height and width {@code [n][6]}
   * @return the conditioning, of the workspace's innermost scope
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public Conditioning prepare(Tensor encoderHiddenStates, Tensor textEmbeds, float[][] timeIds) {
    return encoder.prepare(encoderHiddenStates, textEmbeds, timeIds, Tap.prepare(COMPONENT));
  }

  /**
   * Computes what of the picture stays the same in every step.
   *
   * @param controlnetCond the picture {@code [n, height, width, 3]}, from 0 to 1, with as many
   *     pixels a latent cell as {@link ControlNetConfig#scaleFactor} says
   * @return {@code [n, h, w, c0]}, of the workspace's innermost scope
   * @throws IllegalArgumentException if it has not 3 channels
   */
  public Tensor embed(Tensor controlnetCond) {
    return controlnetCondEmbedding.forward(controlnetCond);
  }

  /**
   * What is added to the U-Net in one step.
   *
   * @param sample the noisy latents {@code [n, h, w, inChannels]}, as the U-Net sees them, without
   *     further channels
   * @param timestep the step's time, the same for all samples; may have a fraction
   * @param conditioning what {@link #prepare} of this model made for as many samples
   * @param embedded what {@link #embed} of this model made, of one picture for all samples
   * @param scale how strongly it leads
   * @return a residual for each skip of the U-Net, and one for its middle block; of the workspace's
   *     innermost scope
   * @throws IllegalArgumentException if a shape does not fit, or the conditioning is another
   *     model's
   */
  public AdditionalResiduals forward(
      Tensor sample,
      float timestep,
      Conditioning conditioning,
      Tensor embedded,
      ControlNetScale scale) {
    check(sample, conditioning, embedded);
    Workspace workspace = sample.workspace();
    try (var scope = workspace.scope();
        Tap.Pass tap = Tap.begin(COMPONENT).after(conditioning.prepared())) {
      tap.input("sample", sample);
      tap.input("timestep", timestep);
      UNetEncoder.Output half =
          encoder.forward(sample, timestep, conditioning, repeated(embedded, sample.dim(0)), tap);

      List<Tensor> residuals = half.residuals();
      int count = residuals.size() + 1;
      List<Tensor> down = new ArrayList<>();
      for (int i = 0; i < residuals.size(); i++) {
        Tensor added =
            scaled(controlnetDownBlocks.get(i).forward(residuals.get(i)), scale.of(i, count));
        tap.output("down_block_res_samples." + i, added);
        down.add(scope.keep(added));
        scope.release(residuals.get(i));
      }
      Tensor mid = scaled(controlnetMidBlock.forward(half.midBlock()), scale.of(count - 1, count));
      tap.output("mid_block_res_sample", mid);
      return new AdditionalResiduals(down, scope.keep(mid));
    }
  }

  private static Tensor scaled(Tensor x, float factor) {
    return factor == 1 ? x : Elementwise.scale(x, factor);
  }

  /** One picture's embedding for each sample. */
  private static Tensor repeated(Tensor embedded, int n) {
    if (n == 1) {
      return embedded;
    }
    int length = embedded.shape().size();
    Tensor all = embedded.workspace().tensor(n, embedded.dim(1), embedded.dim(2), embedded.dim(3));
    for (int i = 0; i < n; i++) {
      System.arraycopy(embedded.data(), 0, all.data(), i * length, length);
    }
    return all;
  }

  private void check(Tensor sample, Conditioning conditioning, Tensor embedded) {
    int n = conditioning.batchSize();
    int channels = config().encoder().inChannels();
    if (sample.shape().rank() != 4 || sample.dim(0) != n || sample.dim(3) != channels) {
      throw new IllegalArgumentException(
          "[controlnet] the sample has the shape %s: [%s, height, width, %s] is needed."
              .formatted(sample.shape(), n, channels));
    }
    Shape needed =
        Shape.of(1, sample.dim(1), sample.dim(2), config().encoder().blockOutChannels().getFirst());
    if (!embedded.shape().equals(needed)) {
      throw new IllegalArgumentException(
          "[controlnet] the embedded picture has the shape %s: %s is needed, that is a picture of %s pixels a latent cell."
              .formatted(embedded.shape(), needed, config().scaleFactor()));
    }
  }
}
