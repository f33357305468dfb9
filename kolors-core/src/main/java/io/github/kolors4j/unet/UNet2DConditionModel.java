package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.FileLayout;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.Quantization;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Elementwise;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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
  private static final String COMPONENT = "unet";

  private static final ModelClass<UNet2DConditionConfig, UNet2DConditionModel> CLASS =
      new ModelClass<>(
          COMPONENT, Library.DIFFUSERS, UNet2DConditionConfig::of, UNet2DConditionModel::new);

  /** What the errors of 8 bits would pass through everything from, or reach the picture from. */
  private static final List<String> EDGES =
      List.of("conv_in.", "conv_out.", "time_embedding.", "add_embedding.", "encoder_hid_proj.");

  private final UNetEncoder encoder;
  private final List<UpBlock> upBlocks;
  private final GroupNorm convNormOut;
  private final Conv2d convOut;

  private UNet2DConditionModel(UNet2DConditionConfig config, ModelFiles files) {
    super(config, files);
    Weights weights = files.weights();
    int c0 = config.blockOutChannels().getFirst();

    // input, time, text and sizes, down, mid
    encoder = UNetEncoder.load(weights, config.encoder());

    // up
    upBlocks = loadUpBlocks(weights.at("up_blocks"), config);

    // output
    UNetEncoderConfig norm = config.encoder();
    convNormOut =
        GroupNorm.load(weights.at("conv_norm_out"), c0, norm.normNumGroups(), norm.normEps());
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
   * Opens a U-Net whose weights are in a file of one's own: under diffusers' names, or under those
   * of Stability's layout, as ComfyUI's checkpoints have them. How many channels it takes, the file
   * tells: with 9 it paints into a picture.
   *
   * @param directory the component's folder in a checkpoint, of which {@code config.json} is read
   * @param file the weights: safetensors
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static UNet2DConditionModel loadFile(Path directory, Path file) throws IOException {
    return CLASS.loadFile(
        directory, file, UNet2DConditionModel::fit, UNet2DConditionModel::layouts);
  }

  private static JsonConfig fit(JsonConfig json, TensorSource file) throws InvalidFileException {
    int channels = json.integer("in_channels", 4, 1, UNetEncoderConfig.MAX_CHANNELS);
    for (String prefix : UNetNames.PREFIXES) {
      for (String name : List.of("conv_in.weight", "input_blocks.0.0.weight")) {
        List<Long> shape = file.find(prefix + name).map(TensorInfo::shape).orElse(List.of());
        if (shape.size() == 4 && shape.get(1) != channels) {
          return json.with("in_channels", shape.get(1));
        }
      }
    }
    return json;
  }

  private static List<FileLayout> layouts(List<Parameter> parameters) {
    UNetNames names = UNetNames.of(parameters);
    return Stream.of(
            FileLayout.of(UNetNames.PREFIXES, Optional::of),
            FileLayout.of(UNetNames.PREFIXES, names::sgm))
        .flatMap(List::stream)
        .toList();
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

  /** In groups; what is at the edges, 1.4 % of Kolors' weights, is left as it is: see the docs. */
  @Override
  protected Optional<Quantization> quantization() {
    return Optional.of(
        Quantization.inGroups(
            name ->
                name.endsWith(".weight")
                    && !name.contains(".time_emb_proj.")
                    && EDGES.stream().noneMatch(name::startsWith)));
  }

  private static List<UpBlock> loadUpBlocks(Weights weights, UNet2DConditionConfig config) {
    UNetEncoderConfig encoder = config.encoder();
    List<UpBlock> blocks = new ArrayList<>();
    int last = encoder.blocks() - 1;
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
                  encoder.layersPerBlock().get(level) + 1,
                  encoder.transformer(level, config.upTransformerLayersPerBlock().get(i)),
                  encoder)));
    }
    return List.copyOf(blocks);
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
    return encoder.prepare(
        encoderHiddenStates, textEmbeds, timeIds, crossAttentions(), Tap.prepare(COMPONENT));
  }

  /**
   * Lets the cross-attentions look at images beside the text; an image prompt. Where all scales are
   * 0, or there are no images, the predictions have the same bytes as without.
   *
   * @param conditioning what {@link #prepare} of this model made
   * @param images tokens of as many samples as it has
   * @return the conditioning with both, of the workspace's innermost scope
   * @throws IllegalArgumentException if a shape does not fit, or an adapter is another model's
   */
  public Conditioning withImages(Conditioning conditioning, List<ImageContext> images) {
    Conditioning all = conditioning;
    for (ImageContext image : images) {
      checkImage(image, conditioning.batchSize());
      try (var scope = image.tokens().workspace().scope()) {
        Tensor tokens =
            image.beforeTextProjection()
                ? encoder.encoderHidProj().forward(image.tokens())
                : image.tokens(); // [n, t, crossAttentionDim]
        IdentityHashMap<Attention, AttentionContext> contexts = new IdentityHashMap<>();
        crossAttentions()
            .forEach(
                attention -> {
                  float scale = (float) image.scale().applyAsDouble(attention.name());
                  if (scale != 0) {
                    AttentionContext context =
                        image.projections().context(attention, tokens, image, scale);
                    scope.keep(context.key());
                    scope.keep(context.value());
                    contexts.put(attention, context);
                  }
                });
        all = all.adding(contexts);
      }
    }
    return all;
  }

  private void checkImage(ImageContext image, int samples) {
    int width =
        image.beforeTextProjection()
            ? config().encoderHidDim()
            : config().encoder().crossAttentionDim();
    Tensor tokens = image.tokens();
    if (tokens.shape().rank() != 3 || tokens.dim(0) != samples || tokens.dim(2) != width) {
      throw new IllegalArgumentException(
          "[unet] the tokens of images have the shape %s: [%s, tokens, %s] is needed."
              .formatted(tokens.shape(), samples, width));
    }
  }

  /** What looks at the text, in the order of the forward pass. */
  Stream<Attention> crossAttentions() {
    return transformerBlocks().map(BasicTransformerBlock::attn2);
  }

  private Stream<BasicTransformerBlock> transformerBlocks() {
    return Stream.concat(
        encoder.transformerBlocks(), upBlocks.stream().flatMap(UpBlock::transformerBlocks));
  }

  /**
   * Chooses the self-attentions that perturbed attention guidance replaces by the identity.
   *
   * @param pagAppliedLayers regular expressions, each of which is looked for anywhere in diffusers'
   *     names of the modules, as {@code down_blocks.1.attentions.0.transformer_blocks.0.attn1}:
   *     {@code mid}, {@code down_blocks.1}, {@code blocks.(1|2)}; none at all perturbs nothing
   * @param rows how many of the last samples are perturbed: a third of them under guidance, else
   *     the half
   * @return the choice, for {@link UNet2DConditionInput#withPerturbedAttention}
   * @throws IllegalArgumentException if one is not a regular expression or found in no name
   */
  public PerturbedAttention perturbedAttention(List<String> pagAppliedLayers, int rows) {
    return PerturbedAttention.of(
        pagAppliedLayers, rows, transformerBlocks().map(block -> block.attn1().name()).toList());
  }

  /**
   * Predicts the noise of one step.
   *
   * @param input the sample, its timestep and all that the prediction depends on
   * @return the prediction {@code [n, h, w, outChannels]}
   * @throws IllegalArgumentException if a shape does not fit, the conditioning is another model's,
   *     or there are not as many samples as are to be perturbed
   */
  public Tensor forward(UNet2DConditionInput input) {
    check(input);
    Tensor sample = input.sample();
    Workspace workspace = sample.workspace();
    Conditioning conditioning = input.conditioning().perturbing(input.perturbedAttention());
    try (var scope = workspace.scope();
        Tap.Pass tap = Tap.begin(COMPONENT).after(conditioning.prepared())) {
      show(input, tap);

      // 1. time
      Tensor emb =
          encoder.embed(workspace, input.timestep(), conditioning, tap); // [n, timeEmbedDim]

      // 2. pre-process
      Tensor hiddenStates = encoder.convIn().forward(sample); // [n, h, w, c0]
      tap.output("conv_in", hiddenStates);

      // 3. down
      DownBlock.Output down = encoder.down(hiddenStates, emb, conditioning, tap);
      List<Tensor> residuals = down.residuals();

      // 4. mid
      hiddenStates = encoder.midBlock().forward(down.hiddenStates(), emb, conditioning);
      tap.output("mid_block", hiddenStates); // [n, ⌈h/2ᵏ⌉, ⌈w/2ᵏ⌉, ck]

      if (input.additionalResiduals().isPresent()) {
        AdditionalResiduals additional = input.additionalResiduals().get();
        residuals = sums(residuals, additional.downBlocks(), scope);
        hiddenStates = Elementwise.add(hiddenStates, additional.midBlock());
      }

      // 5. up
      for (int i = 0; i < upBlocks.size(); i++) {
        UpBlock block = upBlocks.get(i);
        int rest = residuals.size() - block.resnets().size();
        List<Tensor> ofBlock = residuals.subList(rest, residuals.size());
        residuals = residuals.subList(0, rest);
        UpBlock.Size size = UpBlock.Size.of(residuals.isEmpty() ? sample : residuals.getLast());
        hiddenStates = block.forward(hiddenStates, emb, conditioning, ofBlock, size);
        tap.output("up_blocks." + i, hiddenStates);
      } // [n, h, w, c0]

      // 6. post-process
      hiddenStates = convNormOut.forwardSilu(hiddenStates);
      hiddenStates = convOut.forward(hiddenStates); // [n, h, w, outChannels]
      tap.output("conv_out", hiddenStates);
      return scope.keep(hiddenStates);
    }
  }

  /** The sums, each in the place of the residual, which nobody reads any more. */
  private static List<Tensor> sums(
      List<Tensor> residuals, List<Tensor> additional, Workspace.Scope scope) {
    List<Tensor> sums = new ArrayList<>();
    for (int i = 0; i < residuals.size(); i++) {
      sums.add(Elementwise.add(residuals.get(i), additional.get(i)));
      scope.release(residuals.get(i));
    }
    return sums;
  }

  private static void show(UNet2DConditionInput input, Tap.Pass tap) {
    tap.input("sample", input.sample());
    tap.input("timestep", input.timestep());
    if (input.additionalResiduals().isPresent()) {
      AdditionalResiduals additional = input.additionalResiduals().get();
      for (int i = 0; i < additional.downBlocks().size(); i++) {
        tap.input("down_block_additional_residuals." + i, additional.downBlocks().get(i));
      }
      tap.input("mid_block_additional_residual", additional.midBlock());
    }
    if (input.perturbedAttention().rows() > 0) {
      tap.note("perturbed_attention", input.perturbedAttention().toString());
    }
  }

  private void check(UNet2DConditionInput input) {
    Tensor sample = input.sample();
    int n = input.conditioning().batchSize();
    if (sample.shape().rank() != 4
        || sample.dim(0) != n
        || sample.dim(3) != config().inChannels()) {
      throw new IllegalArgumentException(
          "[unet] the sample has the shape %s: [%s, height, width, %s] is needed."
              .formatted(sample.shape(), n, config().inChannels()));
    }
    int rows = input.perturbedAttention().rows();
    if (rows < 0 || rows > n) {
      throw new IllegalArgumentException(
          "[unet] perturbedRows is %s: the sample has 0 to %s rows to perturb.".formatted(rows, n));
    }
    input.additionalResiduals().ifPresent(residuals -> check(residuals, sample));
  }

  private void check(AdditionalResiduals additional, Tensor sample) {
    List<Shape> needed = config().encoder().residuals(sample.shape());
    List<Tensor> given = additional.downBlocks();
    if (given.size() != needed.size()) {
      throw new IllegalArgumentException(
          "[unet] %s additional residuals of down blocks are given: %s are needed, one a skip."
              .formatted(given.size(), needed.size()));
    }
    for (int i = 0; i < needed.size(); i++) {
      check("residual " + i + " of the down blocks", given.get(i), needed.get(i));
    }
    check("residual of the mid block", additional.midBlock(), needed.getLast());
  }

  private static void check(String what, Tensor given, Shape needed) {
    if (!given.shape().equals(needed)) {
      throw new IllegalArgumentException(
          "[unet] the additional %s has the shape %s: %s is needed."
              .formatted(what, given.shape(), needed));
    }
  }
}
