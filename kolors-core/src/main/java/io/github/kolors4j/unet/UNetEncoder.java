package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Elementwise;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.Stream;

/**
 * The encoder half of a U-Net: the timestep, text and sizes, the first convolution, the blocks that
 * go down, and the middle one. Diffusers' {@code UNet2DConditionModel} and {@code ControlNetModel}
 * begin with the same modules under the same names: a U-Net goes up again from there, a ControlNet
 * hands its residuals to one, and has weights and text of its own.
 */
public final class UNetEncoder {
  /** Original size, crop and target size: height and width, or top and left, of each. */
  private static final int TIME_IDS = 6;

  private final UNetEncoderConfig config;
  private final Conv2d convIn;
  private final Timesteps timeProj;
  private final TimestepEmbedding timeEmbedding;
  private final Linear encoderHidProj;
  private final Timesteps addTimeProj;
  private final TimestepEmbedding addEmbedding;
  private final List<DownBlock> downBlocks;
  private final UNetMidBlock2DCrossAttn midBlock;

  private UNetEncoder(Weights weights, UNetEncoderConfig config) {
    this.config = config;
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

    // down, mid
    downBlocks = loadDownBlocks(weights.at("down_blocks"), config);
    midBlock = loadMidBlock(weights.at("mid_block"), config);
  }

  /**
   * The half over the parameters of a model.
   *
   * @param weights all of the model's
   * @param config what its configuration says of this half
   * @return the half
   */
  public static UNetEncoder load(Weights weights, UNetEncoderConfig config) {
    return new UNetEncoder(weights, config);
  }

  Conv2d convIn() {
    return convIn;
  }

  UNetMidBlock2DCrossAttn midBlock() {
    return midBlock;
  }

  Linear encoderHidProj() {
    return encoderHidProj;
  }

  private static List<DownBlock> loadDownBlocks(Weights weights, UNetEncoderConfig config) {
    List<DownBlock> blocks = new ArrayList<>();
    int last = config.blocks() - 1;
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
                  config.transformer(i, config.transformerLayersPerBlock().get(i)),
                  config)));
    }
    return List.copyOf(blocks);
  }

  private static UNetMidBlock2DCrossAttn loadMidBlock(Weights weights, UNetEncoderConfig config) {
    int last = config.blocks() - 1;
    return UNetMidBlock2DCrossAttn.load(
        weights,
        config.blockOutChannels().get(last),
        new BlockConfig(
            1, config.transformer(last, config.transformerLayersPerBlock().get(last)), config));
  }

  /** The blocks that hold its attentions, in order. */
  Stream<BasicTransformerBlock> transformerBlocks() {
    return Stream.concat(
        downBlocks.stream().flatMap(DownBlock::transformerBlocks), midBlock.transformerBlocks());
  }

  /**
   * What stays the same in every step of a model that has no attentions but those of this half.
   *
   * @param encoderHiddenStates the text {@code [n, s, encoderHidDim]}
   * @param textEmbeds the pooled text {@code [n, textEmbedDim]}
   * @param timeIds the sizes {@code [n][6]}
   * @param tap is shown what is computed
   * @return the conditioning, of the workspace's innermost scope
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public Conditioning prepare(
      Tensor encoderHiddenStates, Tensor textEmbeds, float[][] timeIds, Tap.Pass tap) {
    Stream<Attention> own = transformerBlocks().map(BasicTransformerBlock::attn2);
    return prepare(encoderHiddenStates, textEmbeds, timeIds, own, tap);
  }

  /**
   * What stays the same in every step.
   *
   * @param encoderHiddenStates the text {@code [n, s, encoderHidDim]}
   * @param textEmbeds the pooled text {@code [n, textEmbedDim]}
   * @param timeIds the sizes {@code [n][6]}
   * @param crossAttentions what looks at the text: here, and in the rest of the same model
   */
  Conditioning prepare(
      Tensor encoderHiddenStates,
      Tensor textEmbeds,
      float[][] timeIds,
      Stream<Attention> crossAttentions,
      Tap.Pass tap) {
    checkPrompt(encoderHiddenStates, textEmbeds, timeIds);
    tap.input("encoder_hidden_states", encoderHiddenStates);
    tap.input("text_embeds", textEmbeds);
    tap.input("time_ids", timeIds);
    try (var scope = encoderHiddenStates.workspace().scope()) {
      Tensor augEmb = scope.keep(augEmbed(textEmbeds, timeIds)); // [n, timeEmbedDim]
      tap.output("add_embedding", augEmb);
      Tensor text = encoderHidProj.forward(encoderHiddenStates); // [n, s, crossAttentionDim]
      tap.output("encoder_hid_proj", text);

      IdentityHashMap<Attention, List<AttentionContext>> contexts = new IdentityHashMap<>();
      crossAttentions.forEach(
          attention -> {
            AttentionContext context = attention.context(text);
            scope.keep(context.key());
            scope.keep(context.value());
            contexts.put(attention, List.of(context));
          });
      return new Conditioning(augEmb, contexts, tap);
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
      timeEmbeds = timeEmbeds.reshape(n, TIME_IDS * config.additionTimeEmbedDim());
      Tensor addEmbeds = Elementwise.concat(textEmbeds, timeEmbeds);
      return scope.keep(addEmbedding.forward(addEmbeds)); // [n, timeEmbedDim]
    }
  }

  /** Timestep, pooled text and sizes: {@code [n, timeEmbedDim]}. */
  Tensor embed(Workspace workspace, float timestep, Conditioning conditioning, Tap.Pass tap) {
    float[] timesteps = new float[conditioning.batchSize()];
    Arrays.fill(timesteps, timestep);
    Tensor tEmb = timeProj.forward(workspace, timesteps); // [n, c0]
    Tensor emb = timeEmbedding.forward(tEmb); // [n, timeEmbedDim]
    tap.output("time_embedding", emb);
    return Elementwise.add(emb, conditioning.augEmb());
  }

  /**
   * The blocks that go down: {@code x [n, h, w, c0]}, {@code emb [n, timeEmbedDim]} to {@code [n,
   * ⌈h/2ᵏ⌉, ⌈w/2ᵏ⌉, ck]}. The first of the residuals is {@code x}.
   */
  DownBlock.Output down(Tensor x, Tensor emb, Conditioning conditioning, Tap.Pass tap) {
    List<Tensor> residuals = new ArrayList<>(List.of(x));
    Tensor hiddenStates = x;
    for (int i = 0; i < downBlocks.size(); i++) {
      DownBlock.Output output = downBlocks.get(i).forward(hiddenStates, emb, conditioning);
      residuals.addAll(output.residuals());
      hiddenStates = output.hiddenStates();
      tap.output("down_blocks." + i, hiddenStates);
    }
    return new DownBlock.Output(hiddenStates, residuals);
  }

  /**
   * What the half makes of a sample.
   *
   * @param residuals the output of the first convolution, of each layer and each downsampling, in
   *     order {@code [n, hk, wk, ck]}
   * @param midBlock the output of the middle block {@code [n, hk, wk, ck]}
   */
  public record Output(List<Tensor> residuals, Tensor midBlock) {}

  /**
   * The whole half, with something added to the output of its first convolution.
   *
   * @param sample {@code [n, h, w, inChannels]}
   * @param timestep the step's time, the same for all samples
   * @param conditioning what {@link #prepare(Tensor, Tensor, float[][], Tap.Pass)} made
   * @param added {@code [n, h, w, c0]}
   * @param tap is shown what is computed
   * @return the residuals, of the workspace's innermost scope
   */
  public Output forward(
      Tensor sample, float timestep, Conditioning conditioning, Tensor added, Tap.Pass tap) {
    // 1. time
    Tensor emb = embed(sample.workspace(), timestep, conditioning, tap); // [n, timeEmbedDim]

    // 2. pre-process
    Tensor hiddenStates = convIn.forward(sample, added); // [n, h, w, c0]
    tap.output("conv_in", hiddenStates);

    // 3. down
    DownBlock.Output down = down(hiddenStates, emb, conditioning, tap);

    // 4. mid
    Tensor mid = midBlock.forward(down.hiddenStates(), emb, conditioning);
    tap.output("mid_block", mid); // [n, ⌈h/2ᵏ⌉, ⌈w/2ᵏ⌉, ck]
    return new Output(down.residuals(), mid);
  }

  private void checkPrompt(Tensor encoderHiddenStates, Tensor textEmbeds, float[][] timeIds) {
    int n = timeIds.length;
    if (encoderHiddenStates.shape().rank() != 3
        || encoderHiddenStates.dim(0) != n
        || encoderHiddenStates.dim(2) != config.encoderHidDim()) {
      throw new IllegalArgumentException(
          "[unet] encoderHiddenStates have the shape %s: [%s, tokens, %s] is needed."
              .formatted(encoderHiddenStates.shape(), n, config.encoderHidDim()));
    }
    if (textEmbeds.shape().rank() != 2
        || textEmbeds.dim(0) != n
        || textEmbeds.dim(1) != config.textEmbedDim()) {
      throw new IllegalArgumentException(
          "[unet] textEmbeds have the shape %s: [%s, %s] is needed."
              .formatted(textEmbeds.shape(), n, config.textEmbedDim()));
    }
    for (float[] ids : timeIds) {
      if (ids.length != TIME_IDS) {
        throw new IllegalArgumentException(
            "[unet] timeIds of a sample have %s values: %s are needed."
                .formatted(ids.length, TIME_IDS));
      }
    }
  }
}
