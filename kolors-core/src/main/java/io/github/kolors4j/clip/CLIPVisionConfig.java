package io.github.kolors4j.clip;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;

/**
 * The configuration of an image encoder, {@code image_encoder/config.json}, or the part {@code
 * vision_config} of a whole CLIP's.
 *
 * @param hiddenSize width of a token
 * @param intermediateSize width of the feed-forward layers
 * @param numHiddenLayers how many layers
 * @param numAttentionHeads heads of each attention
 * @param numChannels channels of a picture
 * @param imageSize pixels of a picture, in each direction
 * @param patchSize pixels of a token, in each direction
 * @param layerNormEps added to the variance by the norms
 * @param projectionDim width of the projection, which image prompts do without
 */
public record CLIPVisionConfig(
    int hiddenSize,
    int intermediateSize,
    int numHiddenLayers,
    int numAttentionHeads,
    int numChannels,
    int imageSize,
    int patchSize,
    float layerNormEps,
    int projectionDim) {

  private static final int MAX_WIDTH = 1 << 16;
  private static final int MAX_LAYERS = 256;
  private static final int MAX_PIXELS = 4096;
  private static final int RGB = 3;

  /**
   * Reads the configuration.
   *
   * @param json the file
   * @return the configuration
   * @throws InvalidFileException if a value is wrong, or is one that is not supported
   */
  public static CLIPVisionConfig of(JsonConfig json) throws InvalidFileException {
    JsonConfig vision = json.object("vision_config").orElse(json);
    vision.only("hidden_act", "quick_gelu");
    vision.only("num_channels", RGB);
    int hiddenSize = vision.integer("hidden_size", 768, 1, MAX_WIDTH);
    int heads = vision.integer("num_attention_heads", 12, 1, MAX_WIDTH);
    if (hiddenSize % heads != 0) {
      throw vision.fault(
          "num_attention_heads", "it must divide the hidden_size %s".formatted(hiddenSize));
    }
    int imageSize = vision.integer("image_size", 224, 1, MAX_PIXELS);
    int patchSize = vision.integer("patch_size", 32, 1, MAX_PIXELS);
    if (patchSize > imageSize) {
      throw vision.fault("patch_size", "at most the image_size %s".formatted(imageSize));
    }
    return new CLIPVisionConfig(
        hiddenSize,
        vision.integer("intermediate_size", 3072, 1, MAX_WIDTH),
        vision.integer("num_hidden_layers", 12, 1, MAX_LAYERS),
        heads,
        RGB,
        imageSize,
        patchSize,
        vision.positive("layer_norm_eps", 1e-5),
        json.integer("projection_dim", 512, 1, MAX_WIDTH));
  }

  /**
   * How many tokens a picture is.
   *
   * @return its patches, and one for the class
   */
  public int tokens() {
    int side = imageSize / patchSize;
    return side * side + 1;
  }
}
