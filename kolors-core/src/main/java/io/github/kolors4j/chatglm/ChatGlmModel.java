package io.github.kolors4j.chatglm;

import io.github.kolors4j.checkpoint.FileLayout;
import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.Quantization;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Embedding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The text encoder: ChatGLM3 as diffusers' Kolors pipelines have it, {@code ChatGLMModel}, of which
 * the language model's head is not used.
 *
 * <p>A model is immutable and may be used from several threads, each with a workspace of its own;
 * closing it unmaps its weights.
 */
public final class ChatGlmModel extends PretrainedModel<ChatGlmConfig> {
  private static final String COMPONENT = "text_encoder";

  private static final String WORD_EMBEDDINGS = "embedding.word_embeddings.weight";

  /** The language model's head. */
  private static final String OUTPUT_LAYER = "output_layer";

  private static final ModelClass<ChatGlmConfig, ChatGlmModel> CLASS =
      new ModelClass<>(COMPONENT, Library.TRANSFORMERS, ChatGlmConfig::of, ChatGlmModel::new);

  private final Weight wordEmbeddings;
  private final List<GlmBlock> layers;

  private ChatGlmModel(ChatGlmConfig config, ModelFiles files) {
    super(config, files);
    Weights weights = files.weights();
    int d = config.hiddenSize();
    int vocabulary = config.paddedVocabSize();
    wordEmbeddings = weights.weight(WORD_EMBEDDINGS, vocabulary, d);
    Weights unread = weights.unread();
    unread.weight("rotary_pos_emb.inv_freq", config.kvChannels() / 4);
    List<GlmBlock> blocks = new ArrayList<>();
    for (int i = 0; i < config.numLayers(); i++) {
      blocks.add(GlmBlock.load(weights.at("encoder.layers").at(i), config));
    }
    layers = List.copyOf(blocks);

    if (config.postLayerNorm()) {
      GlmBlock.norm(unread.at("encoder.final_layernorm"), config);
    }
    Linear.load(unread.at(OUTPUT_LAYER), d, vocabulary, false);
  }

  /**
   * Opens a text encoder. Its weights are mapped, not read.
   *
   * @param directory the component's folder, with {@code config.json} and the weights
   * @param variant the weights' variant; where empty, {@code fp16} if it is there, else the plain
   *     one
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static ChatGlmModel load(Path directory, Optional<String> variant) throws IOException {
    return CLASS.load(directory, variant);
  }

  /**
   * Opens a text encoder whose weights are in a file of one's own, as those that ComfyUI's nodes
   * for Kolors have in 16, 8 and 4 bits.
   *
   * @param directory the component's folder in a checkpoint, of which {@code config.json} is read
   * @param file the weights: safetensors
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static ChatGlmModel loadFile(Path directory, Path file) throws IOException {
    return CLASS.loadFile(
        directory,
        file,
        (json, _) -> json,
        _ -> FileLayout.of(List.of("", "transformer."), Optional::of));
  }

  /**
   * A text encoder over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public static ChatGlmModel of(ChatGlmConfig config, TensorSource source)
      throws InvalidFileException {
    return CLASS.of(config, source);
  }

  /**
   * The same text encoder with adapters over its weights, which costs no memory but theirs.
   *
   * @param adapters what replaces or extends its weights, in this order, after those that it has
   * @return the text encoder with the adapters; this one must outlive it
   * @throws InvalidFileException if something of an adapter does not fit
   */
  public ChatGlmModel adapted(List<WeightAdapter> adapters) throws InvalidFileException {
    return CLASS.adapted(this, adapters);
  }

  /**
   * As ChatGLM's own code does it, by rows: the matrices of the layers, and here those of the words
   * too. The head, as large as the words, is left out, since no picture needs it.
   */
  @Override
  protected Optional<Quantization> quantization() {
    return Optional.of(
        Quantization.perRow(
                name ->
                    name.equals(WORD_EMBEDDINGS)
                        || (name.startsWith("encoder.layers.") && name.endsWith(".weight")))
            .without(name -> name.startsWith(OUTPUT_LAYER + ".")));
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines, also what this library does not read
   */
  public static List<Parameter> parameters(ChatGlmConfig config) {
    return CLASS.parameters(config);
  }

  /**
   * Encodes prompts, as the tokenizer gives them: all of one length, padded on the left.
   *
   * @param workspace where the result is made
   * @param inputIds tokens {@code [n][s]}
   * @param attentionMask 1, and 0 for padding {@code [n][s]}
   * @param positionIds positions {@code [n][s]}
   * @return the embeddings, of the workspace's innermost scope
   * @throws IllegalArgumentException if the arrays are not of one shape, or a value is not one that
   *     the model knows
   */
  public PromptEmbedding encode(
      Workspace workspace, int[][] inputIds, int[][] attentionMask, int[][] positionIds) {
    check("inputIds", inputIds, inputIds, config().paddedVocabSize());
    check("attentionMask", attentionMask, inputIds, 2);
    check("positionIds", positionIds, inputIds, config().seqLength());
    try (var scope = workspace.scope();
        Tap.Pass tap = Tap.begin(COMPONENT)) {
      tap.input("input_ids", inputIds);
      tap.input("attention_mask", attentionMask);
      tap.input("position_ids", positionIds);
      Context context = Context.of(workspace, attentionMask, positionIds);
      Tensor hiddenStates = Embedding.lookup(workspace, wordEmbeddings, inputIds); // [n, s, d]
      tap.outputTokensFirst("embedding", hiddenStates);

      int last = layers.size() - 1;
      for (int i = 0; i < last; i++) {
        Tensor input = hiddenStates;
        hiddenStates = layers.get(i).forward(input, context); // [n, s, d]
        scope.release(input);
        tap.outputTokensFirst("encoder.layers." + i, hiddenStates);
      }
      // Of the last layer the pipeline reads the last token alone.
      Tensor pooled = layers.get(last).forwardLast(hiddenStates, context); // [n, d]
      tap.output("encoder.layers." + last, pooled);
      return new PromptEmbedding(scope.keep(hiddenStates), scope.keep(pooled));
    }
  }

  private static void check(String name, int[][] values, int[][] inputIds, int limit) {
    int n = inputIds.length;
    int s = n == 0 ? 0 : inputIds[0].length;
    if (n == 0 || s == 0) {
      throw new IllegalArgumentException(
          "[text_encoder] inputIds are empty: one prompt of one token is the least.");
    }
    if (values.length != n) {
      throw new IllegalArgumentException(
          "[text_encoder] %s have %s rows: %s, one a prompt, are needed."
              .formatted(name, values.length, n));
    }
    for (int[] row : values) {
      if (row.length != s) {
        throw new IllegalArgumentException(
            "[text_encoder] %s have a row of %s values: all need %s."
                .formatted(name, row.length, s));
      }
      for (int value : row) {
        if (value < 0 || value >= limit) {
          throw new IllegalArgumentException(
              "[text_encoder] %s have the value %s: 0 to %s are possible."
                  .formatted(name, value, limit - 1));
        }
      }
    }
  }
}
