package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Keys and values of an image prompt's tokens for each cross-attention of a U-Net: the {@code
 * to_k_ip} and {@code to_v_ip} of an IP-Adapter. Its files number them in the order of diffusers'
 * {@code attn_processors}, where the middle block comes last, and count the self-attentions, too.
 */
public final class ImageProjections {
  private static final String QUERY = ".attn2.to_q.weight";
  private static final String MID = "mid_block.";

  private record Pair(Linear toKIp, Linear toVIp) {}

  private final Map<String, Pair> pairs;
  private final int width;

  private ImageProjections(Map<String, Pair> pairs, int width) {
    this.pairs = Collections.unmodifiableMap(pairs);
    this.width = width;
  }

  /**
   * Projections over an adapter's weights.
   *
   * @param weights those below the pairs' numbers
   * @param config the U-Net that they are for
   * @return the projections
   */
  public static ImageProjections load(Weights weights, UNet2DConditionConfig config) {
    int width = config.encoder().crossAttentionDim();
    Map<String, Pair> pairs = new LinkedHashMap<>();
    int number = 1;
    for (Parameter query : queries(config)) {
      int d = Math.toIntExact(query.shape().getFirst());
      Weights own = weights.at(number);
      String attention = query.name().substring(0, query.name().length() - ".to_q.weight".length());
      pairs.put(
          attention,
          new Pair(
              Linear.load(own.at("to_k_ip"), width, d, false),
              Linear.load(own.at("to_v_ip"), width, d, false)));
      number += 2;
    }
    return new ImageProjections(pairs, width);
  }

  /** Of the cross-attentions, down, up, and the middle last. */
  private static List<Parameter> queries(UNet2DConditionConfig config) {
    List<Parameter> queries = new ArrayList<>();
    List<Parameter> mid = new ArrayList<>();
    for (Parameter parameter : UNet2DConditionModel.parameters(config)) {
      if (parameter.name().endsWith(QUERY)) {
        (parameter.name().startsWith(MID) ? mid : queries).add(parameter);
      }
    }
    queries.addAll(mid);
    return queries;
  }

  /**
   * The names of the attentions that have a pair.
   *
   * @return as {@code up_blocks.0.attentions.1.transformer_blocks.0.attn2}
   */
  public List<String> names() {
    return List.copyOf(pairs.keySet());
  }

  /** The width of the tokens. */
  int width() {
    return width;
  }

  /** {@code tokens [n, t, width]} as an attention looks at them. */
  AttentionContext context(Attention attention, Tensor tokens, ImageContext image, float scale) {
    Pair pair = pairs.get(attention.name());
    if (pair == null) {
      throw new IllegalArgumentException(
          "[unet] the image adapter has nothing for %s: it is for another model."
              .formatted(attention.name()));
    }
    return new AttentionContext(
        pair.toKIp.forward(tokens), pair.toVIp.forward(tokens), scale, image.mask());
  }
}
