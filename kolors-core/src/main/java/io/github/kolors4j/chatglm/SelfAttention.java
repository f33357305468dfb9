package io.github.kolors4j.chatglm;

import static io.github.kolors4j.tensor.ops.Attention.scaledDotProduct;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import io.github.kolors4j.tensor.ops.Elementwise;
import io.github.kolors4j.tensor.ops.Rotary;

/**
 * Attention with rotary positions, whose keys and values may have fewer heads than the queries;
 * diffusers {@code SelfAttention}.
 */
record SelfAttention(Linear queryKeyValue, Linear dense, Heads heads, boolean multiQueryAttention) {

  static SelfAttention load(Weights weights, ChatGlmConfig config) {
    Heads heads = new Heads(config.numAttentionHeads(), config.kvHeads(), config.kvChannels());
    int d = heads.heads() * heads.dHead();
    int dKv = heads.kvHeads() * heads.dHead();
    return new SelfAttention(
        Linear.load(
            weights.at("query_key_value"),
            config.hiddenSize(),
            d + 2 * dKv,
            config.addBiasLinear() || config.addQkvBias()),
        Linear.load(weights.at("dense"), d, config.hiddenSize(), config.addBiasLinear()),
        heads,
        config.multiQueryAttention());
  }

  /** What each token asks, what it is found by and what it tells. */
  private record QueryKeyValue(Tensor query, Tensor key, Tensor value) {}

  /**
   * {@code hiddenStates [n, s, d]} and {@code residual [n, s − from, d]} to {@code [n, s − from,
   * d]}: the tokens from {@code from} on, which see those before them too.
   */
  Tensor forward(Tensor hiddenStates, Tensor residual, Context context, int from) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor mixed = queryKeyValue.forward(hiddenStates); // [n, s, (heads + 2·kvHeads)·dHead]
      QueryKeyValue qkv = multiQueryAttention ? split(mixed) : splitEachHead(mixed);

      // Half of a head's channels turn with the position.
      int dHead = heads.dHead();
      Rotary.rotateInPlace(qkv.query, dHead, dHead / 2, context.positionIds());
      Rotary.rotateInPlace(qkv.key, dHead, dHead / 2, context.positionIds());

      Tensor query = Tokens.from(qkv.query, from); // [n, s − from, heads·dHead]
      Tensor mask = Tokens.from(context.mask(), from); // [n, s − from, s]
      Tensor attended = scaledDotProduct(query, qkv.key, qkv.value, heads, mask);
      return scope.keep(dense.forward(attended, residual)); // [n, s − from, d]
    }
  }

  /** All queries, all keys, all values. */
  private QueryKeyValue split(Tensor mixed) {
    int d = heads.heads() * heads.dHead();
    int dKv = heads.kvHeads() * heads.dHead();
    return new QueryKeyValue(
        Elementwise.slice(mixed, 0, d),
        Elementwise.slice(mixed, d, d + dKv),
        Elementwise.slice(mixed, d + dKv, d + 2 * dKv));
  }

  /** Query, key and value of one head beside each other, then those of the next. */
  private QueryKeyValue splitEachHead(Tensor mixed) {
    int n = mixed.dim(0);
    int s = mixed.dim(1);
    int dHead = heads.dHead();
    int d = heads.heads() * dHead;
    Tensor perHead = mixed.reshape(n, s, heads.heads(), 3 * dHead); // [n, s, heads, 3·dHead]
    return new QueryKeyValue(
        Elementwise.slice(perHead, 0, dHead).reshape(n, s, d),
        Elementwise.slice(perHead, dHead, 2 * dHead).reshape(n, s, d),
        Elementwise.slice(perHead, 2 * dHead, 3 * dHead).reshape(n, s, d)); // [n, s, d] each
  }
}
