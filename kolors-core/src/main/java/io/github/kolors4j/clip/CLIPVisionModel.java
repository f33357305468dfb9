package io.github.kolors4j.clip;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.checkpoint.Library;
import io.github.kolors4j.checkpoint.ModelClass;
import io.github.kolors4j.checkpoint.ModelFiles;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.LayerNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.PickleFile;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The image encoder of CLIP (Radford et al. 2021); transformers' {@code
 * CLIPVisionModelWithProjection}. Image prompts look at what its last layer but one gives, so that
 * its last layer and its projection are not computed.
 *
 * <p>A model is immutable and may be used from several threads, each with a workspace of its own;
 * closing it unmaps its weights.
 */
public final class CLIPVisionModel extends PretrainedModel<CLIPVisionConfig> {
  private static final String COMPONENT = "image_encoder";
  private static final String PICKLE = "pytorch_model.bin";

  /** What a file with a whole CLIP has beside its image encoder. */
  private static final Pattern FOREIGN =
      Pattern.compile("text_model\\..*|text_projection\\..*|logit_scale|.*\\.position_ids");

  private static final ModelClass<CLIPVisionConfig, CLIPVisionModel> CLASS =
      new ModelClass<>(COMPONENT, Library.TRANSFORMERS, CLIPVisionConfig::of, CLIPVisionModel::new);

  private final Weight classEmbedding;
  private final Conv2d patchEmbedding;
  private final Weight positionEmbedding;
  private final LayerNorm preLayrnorm;
  private final List<CLIPEncoderLayer> layers;

  private CLIPVisionModel(CLIPVisionConfig config, ModelFiles files) {
    super(config, files);
    Weights all = files.weights();
    all.files().names().stream()
        .filter(name -> FOREIGN.matcher(name).matches())
        .forEach(all.files()::find); // counts as known
    int d = config.hiddenSize();
    Weights weights = all.at("vision_model");
    Weights embeddings = weights.at("embeddings");
    classEmbedding = embeddings.weight("class_embedding", d);
    patchEmbedding =
        Conv2d.loadWithoutBias(
            embeddings.at("patch_embedding"),
            config.numChannels(),
            d,
            config.patchSize(),
            new Geometry(config.patchSize(), 0));
    positionEmbedding = embeddings.at("position_embedding").weight("weight", config.tokens(), d);
    preLayrnorm = LayerNorm.load(weights.at("pre_layrnorm"), d, config.layerNormEps());
    Weights ofLayers = weights.at("encoder.layers");
    List<CLIPEncoderLayer> read = new ArrayList<>();
    int last = config.numHiddenLayers() - 1;
    for (int i = 0; i < last; i++) {
      read.add(CLIPEncoderLayer.load(ofLayers.at(i), config));
    }
    layers = List.copyOf(read);
    CLIPEncoderLayer _ = CLIPEncoderLayer.load(ofLayers.at(last).unread(), config);
    LayerNorm _ = LayerNorm.load(weights.at("post_layernorm").unread(), d, config.layerNormEps());
    Linear _ = Linear.load(all.at("visual_projection").unread(), d, config.projectionDim(), false);
  }

  /**
   * Opens an image encoder. Its weights are mapped, not read.
   *
   * @param directory its folder, with {@code config.json} and the weights: safetensors, or else the
   *     file of {@code torch.save} that some are published as, of which only tensors are read
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public static CLIPVisionModel load(Path directory) throws IOException {
    Path pickle = directory.resolve(PICKLE);
    if (!Files.isRegularFile(pickle) || hasSafetensors(directory)) {
      return CLASS.load(directory, Optional.empty());
    }
    CLIPVisionConfig config = config(directory);
    TensorSource source = PickleFile.open(pickle);
    try {
      return CLASS.of(config, source);
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  /**
   * Reads the configuration alone.
   *
   * @param directory the encoder's folder
   * @return the configuration
   * @throws InvalidFileException if the file is missing or a value is wrong
   */
  public static CLIPVisionConfig config(Path directory) throws InvalidFileException {
    return CLIPVisionConfig.of(JsonConfig.read(directory.resolve("config.json")));
  }

  private static boolean hasSafetensors(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.anyMatch(file -> file.getFileName().toString().endsWith(".safetensors"));
    }
  }

  /**
   * An image encoder over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public static CLIPVisionModel of(CLIPVisionConfig config, TensorSource source)
      throws InvalidFileException {
    return CLASS.of(config, source);
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines, also what this library does not read
   */
  public static List<Parameter> parameters(CLIPVisionConfig config) {
    return CLASS.parameters(config);
  }

  /**
   * What the last layer but one gives; transformers' {@code hidden_states[-2]}.
   *
   * @param pixelValues pictures {@code [n, imageSize, imageSize, 3]} as CLIP's preprocessing makes
   *     them; zeros are what an image prompt is held against
   * @return {@code [n, tokens, hiddenSize]}, the class first
   * @throws IllegalArgumentException if the shape does not fit
   */
  public Tensor hiddenStates(Tensor pixelValues) {
    int size = config().imageSize();
    if (pixelValues.shape().rank() != 4
        || pixelValues.dim(1) != size
        || pixelValues.dim(2) != size
        || pixelValues.dim(3) != config().numChannels()) {
      throw new IllegalArgumentException(
          "[clip] the pictures have the shape %s: [pictures, %s, %s, %s] is needed."
              .formatted(pixelValues.shape(), size, size, config().numChannels()));
    }
    try (var scope = pixelValues.workspace().scope();
        Tap.Pass tap = Tap.begin(COMPONENT)) {
      tap.input("pixel_values", pixelValues);
      Tensor hiddenStates = preLayrnorm.forward(embed(pixelValues)); // [n, tokens, d]
      tap.output("vision_model.pre_layrnorm", hiddenStates);
      for (int i = 0; i < layers.size(); i++) {
        Tensor before = hiddenStates;
        hiddenStates = layers.get(i).forward(before);
        scope.release(before);
        tap.output("vision_model.encoder.layers." + i, hiddenStates);
      }
      return scope.keep(hiddenStates);
    }
  }

  /** Class and patches {@code [n, tokens, d]}, each with its position. */
  private Tensor embed(Tensor pixelValues) {
    int n = pixelValues.dim(0);
    int d = config().hiddenSize();
    int tokens = config().tokens();
    Tensor embeddings = pixelValues.workspace().tensor(n, tokens, d);
    float[] target = embeddings.data();
    try (var _ = pixelValues.workspace().scope()) {
      Tensor patches = patchEmbedding.forward(pixelValues); // [n, side, side, d]
      float[] ofClass = classEmbedding.toFloats();
      float[] positions = positionEmbedding.toFloats();
      int values = (tokens - 1) * d;
      for (int i = 0; i < n; i++) {
        int at = i * tokens * d;
        System.arraycopy(ofClass, 0, target, at, d);
        System.arraycopy(patches.data(), i * values, target, at + d, values);
        for (int j = 0; j < tokens * d; j++) {
          target[at + j] += positions[j];
        }
      }
    }
    return embeddings;
  }
}
