package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Elementwise;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The network that predicts the noise in a sample, given the timestep and the prompt; diffusers'
 * {@code UNet2DConditionModel}.
 *
 * <p>What depends on prompt and sizes alone is computed once by {@link #prepare}, and {@link
 * #forward} is called for each step with it. A model is immutable and may be used from several
 * threads, each with a workspace of its own; closing it unmaps its weights.
 */
public final class UNet2DConditionModel extends PretrainedModel<UNet2DConditionConfig> {
  private static final ModelClass<UNet2DConditionConfig, UNet2DConditionModel> CLASS =
      new ModelClass<>(
          "unet", Library.DIFFUSERS, UNet2DConditionConfig::of, UNet2DConditionModel::new);

  /** Original size, crop and target size: height and width, or top and left, of each. */
  private static final int TIME_IDS = 6;

  private final Conv2d convIn;
  private final Timesteps timeProj;
  private final TimestepEmbedding timeEmbedding;
  private final Timesteps addTimeProj;
  private final TimestepEmbedding addEmbedding;
  private final Linear encoderHidProj;
  private final List<DownBlock> downBlocks;
  private final UNetMidBlock2DCrossAttn midBlock;
  private final List<UpBlock> upBlocks;
  private final GroupNorm convNormOut;
  private final Conv2d convOut;

  private UNet2DConditionModel(UNet2DConditionConfig config, ModelFiles files) {
    super(config, files);
    Weights weights = files.weights();
    int c0 = config.blockOutChannels().getFirst();

    // input
    convIn = Conv2d.load(weights.at("conv_in"), config.inChannels(), c0, config.convInKernel());

    // time
    timeProj = new Timesteps(c0, config.flipSinToCos(), config.freqShift());
    timeEmbedding = TimestepEmbedding.load(weights.at("time_embedding"), c0, config.timeEmbedDim());

    // text and sizes
    encoderHidProj =
        Linear.load(
            weights.at("encoder_hid_proj"), config.encoderHidDim(), config.crossAttentionDim());
    addTimeProj =
        new Timesteps(config.additionTimeEmbedDim(), config.flipSinToCos(), config.freqShift());
    addEmbedding =
        TimestepEmbedding.load(
            weights.at("add_embedding"),
            config.projectionClassEmbeddingsInputDim(),
            config.timeEmbedDim());

    // down, mid, up
    downBlocks = loadDownBlocks(weights.at("down_blocks"), config);
    midBlock = loadMidBlock(weights.at("mid_block"), config);
    upBlocks = loadUpBlocks(weights.at("up_blocks"), config);

    // output
    convNormOut =
        GroupNorm.load(weights.at("conv_norm_out"), c0, config.normNumGroups(), config.normEps());
    convOut = Conv2d.load(weights.at("conv_out"), c0, config.outChannels(), config.convOutKernel());
  }

  /**
   * Opens a U-Net. Its weights are mapped, not read.
   *
   * @param directory the component's folder, with {@code config.json} and the weights
   * @param variant the weights' variant; where empty, {@code fp16} if it is there, else the plain
   *     one
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static UNet2DConditionModel load(Path directory, Optional<String> variant)
      throws IOException {
    return CLASS.load(directory, variant);
  }

  /**
   * A U-Net over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public static UNet2DConditionModel of(UNet2DConditionConfig config, TensorSource source)
      throws InvalidFileException {
    return CLASS.of(config, source);
  }

  /**
   * The same U-Net with adapters over its weights, which costs no memory but theirs. It needs a
   * conditioning of its own, as the adapters change what its attentions see of the text.
   *
   * @param adapters what replaces or extends its weights, in this order, after those that it has
   * @return the U-Net with the adapters; this one must outlive it
   * @throws InvalidFileException if something of an adapter does not fit
   */
  public UNet2DConditionModel adapted(List<WeightAdapter> adapters) throws InvalidFileException {
    return CLASS.adapted(this, adapters);
  }

  private static List<DownBlock> loadDownBlocks(Weights weights, UNet2DConditionConfig config) {
    List<DownBlock> blocks = new ArrayList<>();
    int last = config.blockOutChannels().size() - 1;
    int out = config.blockOutChannels().getFirst();
    for (int i = 0; i <= last; i++) {
      int in = out;
      out = config.blockOutChannels().get(i);
      blocks.add(
          DownBlock.load(
              config.downBlockTypes().get(i),
              weights.at(i),
              new DownBlock.Channels(in, out, i < last),
              new BlockConfig(
                  config.layersPerBlock().get(i),
                  transformer(config, i, config.transformerLayersPerBlock().get(i)),
                  config)));
    }
    return List.copyOf(blocks);
  }

  private static UNetMidBlock2DCrossAttn loadMidBlock(
      Weights weights, UNet2DConditionConfig config) {
    int last = config.blockOutChannels().size() - 1;
    int channels = config.blockOutChannels().get(last);
    BlockConfig block =
        new BlockConfig(
            1, transformer(config, last, config.transformerLayersPerBlock().get(last)), config);
    return UNetMidBlock2DCrossAttn.load(weights, channels, block);
  }

  private static List<UpBlock> loadUpBlocks(Weights weights, UNet2DConditionConfig config) {
    List<UpBlock> blocks = new ArrayList<>();
    int last = config.blockOutChannels().size() - 1;
    int out = config.blockOutChannels().getLast();
    for (int i = 0; i <= last; i++) {
      int level = last - i;
      int prevOutput = out;
      out = config.blockOutChannels().get(level);
      int skip = config.blockOutChannels().get(Math.max(level - 1, 0));
      blocks.add(
          UpBlock.load(
              config.upBlockTypes().get(i),
              weights.at(i),
              new UpBlock.Channels(skip, prevOutput, out, i < last),
              new BlockConfig(
                  config.layersPerBlock().get(level) + 1,
                  transformer(config, level, config.upTransformerLayersPerBlock().get(i)),
                  config)));
    }
    return List.copyOf(blocks);
  }

  private static Transformer2DModel.Size transformer(
      UNet2DConditionConfig config, int level, int depth) {
    return new Transformer2DModel.Size(
        config.blockOutChannels().get(level), config.numAttentionHeads().get(level), depth);
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines, also what this library does not read
   */
  public static List<Parameter> parameters(UNet2DConditionConfig config) {
    return CLASS.parameters(config);
  }

  /**
   * Computes what stays the same in every step: the text as each cross-attention sees it, and the
   * embedding of pooled text and sizes.
   *
   * @param encoderHiddenStates the text {@code [n, s, encoderHidDim]}
   * @param textEmbeds the pooled text {@code [n, textEmbedDim]}
   * @param timeIds for each sample the original height and width, the crop's top and left, and the
   *     target's height and width {@code [n][6]}
   * @return the conditioning, of the workspace's innermost scope
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public Conditioning prepare(Tensor encoderHiddenStates, Tensor textEmbeds, float[][] timeIds) {
    checkPrompt(encoderHiddenStates, textEmbeds, timeIds);
    try (var scope = encoderHiddenStates.workspace().scope()) {
      Tensor augEmb = scope.keep(augEmbed(textEmbeds, timeIds)); // [n, timeEmbedDim]
      Tensor text = encoderHidProj.forward(encoderHiddenStates); // [n, s, crossAttentionDim]

      IdentityHashMap<Attention, KeyValue> crossAttention = new IdentityHashMap<>();
      transformerBlocks()
          .map(BasicTransformerBlock::attn2)
          .forEach(
              attention -> {
                KeyValue keyValue = attention.keyValue(text);
                scope.keep(keyValue.key());
                scope.keep(keyValue.value());
                crossAttention.put(attention, keyValue);
              });
      return new Conditioning(augEmb, crossAttention);
    }
  }

  private Tensor augEmbed(Tensor textEmbeds, float[][] timeIds) {
    Workspace workspace = textEmbeds.workspace();
    try (var scope = workspace.scope()) {
      int n = timeIds.length;
      float[] flat = new float[n * TIME_IDS];
      for (int i = 0; i < n; i++) {
        System.arraycopy(timeIds[i], 0, flat, i * TIME_IDS, TIME_IDS);
      }
      Tensor timeEmbeds = addTimeProj.forward(workspace, flat); // [n·6, additionTimeEmbedDim]
      timeEmbeds = timeEmbeds.reshape(n, TIME_IDS * config().additionTimeEmbedDim());
      Tensor addEmbeds = Elementwise.concat(textEmbeds, timeEmbeds);
      return scope.keep(addEmbedding.forward(addEmbeds)); // [n, timeEmbedDim]
    }
  }

  private Stream<BasicTransformerBlock> transformerBlocks() {
    return Stream.of(
            downBlocks.stream().flatMap(DownBlock::transformerBlocks),
            midBlock.transformerBlocks(),
            upBlocks.stream().flatMap(UpBlock::transformerBlocks))
        .flatMap(blocks -> blocks);
  }

  /**
   * Chooses the self-attentions that perturbed attention guidance replaces by the identity.
   *
   * @param pagAppliedLayers regular expressions, each of which is looked for anywhere in diffusers'
   *     names of the modules, as {@code down_blocks.1.attentions.0.transformer_blocks.0.attn1}:
   *     {@code mid}, {@code down_blocks.1}, {@code blocks.(1|2)}; none at all perturbs nothing
   * @return the choice, for {@link #forward(Tensor, float, Conditioning, PerturbedAttention, int)}
   * @throws IllegalArgumentException if one is not a regular expression or found in no name
   */
  public PerturbedAttention perturbedAttention(List<String> pagAppliedLayers) {
    return PerturbedAttention.of(
        pagAppliedLayers, transformerBlocks().map(block -> block.attn1().name()).toList());
  }

  /**
   * Predicts the noise of one step.
   *
   * @param sample the noisy latents {@code [n, h, w, inChannels]}, of any height and width
   * @param timestep the step's time; may have a fraction
   * @param conditioning what {@link #prepare} made for as many samples
   * @return the prediction {@code [n, h, w, outChannels]}
   * @throws IllegalArgumentException if the sample's shape does not fit
   */
  public Tensor forward(Tensor sample, float timestep, Conditioning conditioning) {
    return forward(sample, timestep, conditioning, PerturbedAttention.NONE, 0);
  }

  /**
   * Predicts the noise of one step, for the last samples also without the structure that some
   * self-attentions give a picture. The other samples are, to the last bit, what they are without.
   *
   * @param sample the noisy latents {@code [n, h, w, inChannels]}: {@code [negative, positive,
   *     positive]} or without guidance {@code [positive, positive]}
   * @param timestep the step's time; may have a fraction
   * @param conditioning what {@link #prepare} made for as many samples; the perturbed ones have the
   *     text of those that they are compared with
   * @param pag what {@link #perturbedAttention} of this model chose
   * @param perturbedRows how many of the last samples are perturbed, 0 to n: a third of them under
   *     guidance, else the half
   * @return the prediction {@code [n, h, w, outChannels]}
   * @throws IllegalArgumentException if the sample's shape does not fit, or there are not as many
   *     samples as are to be perturbed
   */
  public Tensor forward(
      Tensor sample,
      float timestep,
      Conditioning conditioning,
      PerturbedAttention pag,
      int perturbedRows) {
    checkSample(sample, conditioning);
    if (perturbedRows < 0 || perturbedRows > sample.dim(0)) {
      throw new IllegalArgumentException(
          "[unet] perturbedRows is %d: the sample has 0 to %d rows to perturb."
              .formatted(perturbedRows, sample.dim(0)));
    }
    return predict(sample, timestep, conditioning.perturbing(pag, perturbedRows));
  }

  private Tensor predict(Tensor sample, float timestep, Conditioning conditioning) {
    try (var scope = sample.workspace().scope()) {
      // 1. time
      float[] timesteps = new float[sample.dim(0)];
      Arrays.fill(timesteps, timestep);
      Tensor tEmb = timeProj.forward(sample.workspace(), timesteps); // [n, c0]
      Tensor emb = timeEmbedding.forward(tEmb); // [n, timeEmbedDim]
      emb = Elementwise.add(emb, conditioning.augEmb());

      // 2. pre-process
      Tensor hiddenStates = convIn.forward(sample); // [n, h, w, c0]

      // 3. down
      Deque<Tensor> residuals = new ArrayDeque<>();
      residuals.push(hiddenStates);
      for (DownBlock block : downBlocks) {
        hiddenStates = block.forward(hiddenStates, emb, conditioning, residuals);
      } // [n, ⌈h/2ᵏ⌉, ⌈w/2ᵏ⌉, ck]

      // 4. mid
      hiddenStates = midBlock.forward(hiddenStates, emb, conditioning);

      // 5. up
      for (UpBlock block : upBlocks) {
        hiddenStates = block.forward(hiddenStates, emb, conditioning, residuals);
      } // [n, h, w, c0]

      // 6. post-process
      hiddenStates = convNormOut.forwardSilu(hiddenStates);
      return scope.keep(convOut.forward(hiddenStates)); // [n, h, w, outChannels]
    }
  }

  private void checkPrompt(Tensor encoderHiddenStates, Tensor textEmbeds, float[][] timeIds) {
    int n = timeIds.length;
    if (encoderHiddenStates.shape().rank() != 3
        || encoderHiddenStates.dim(0) != n
        || encoderHiddenStates.dim(2) != config().encoderHidDim()) {
      throw new IllegalArgumentException(
          "[unet] encoderHiddenStates have the shape %s: [%d, tokens, %d] is needed."
              .formatted(encoderHiddenStates.shape(), n, config().encoderHidDim()));
    }
    if (textEmbeds.shape().rank() != 2
        || textEmbeds.dim(0) != n
        || textEmbeds.dim(1) != config().textEmbedDim()) {
      throw new IllegalArgumentException(
          "[unet] textEmbeds have the shape %s: [%d, %d] is needed."
              .formatted(textEmbeds.shape(), n, config().textEmbedDim()));
    }
    for (float[] ids : timeIds) {
      if (ids.length != TIME_IDS) {
        throw new IllegalArgumentException(
            "[unet] timeIds of a sample have %d values: %d are needed."
                .formatted(ids.length, TIME_IDS));
      }
    }
  }

  private void checkSample(Tensor sample, Conditioning conditioning) {
    if (sample.shape().rank() != 4
        || sample.dim(0) != conditioning.batchSize()
        || sample.dim(3) != config().inChannels()) {
      throw new IllegalArgumentException(
          "[unet] the sample has the shape %s: [%d, height, width, %d] is needed."
              .formatted(sample.shape(), conditioning.batchSize(), config().inChannels()));
    }
  }
}
