package io.github.kolors4j.unet;

import static io.github.kolors4j.tensor.ops.Attention.scaledDotProduct;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Attention.Heads;

/**
 * Attention of tokens to tokens, or to the text; diffusers {@code Attention}. Keys and values come
 * from the caller, because those of the text are the same in every step.
 *
 * @param name of the module in diffusers, as {@code
 *     mid_block.attentions.0.transformer_blocks.0.attn1}
 */
record Attention(String name, Linear toQ, Linear toK, Linear toV, Linear toOut, Heads heads) {

  /** {@code d} is the width of the queries, {@code contextDim} that of what they look at. */
  static Attention load(Weights weights, int d, int contextDim, int heads) {
    return new Attention(
        weights.name(),
        Linear.load(weights.at("to_q"), d, d, false),
        Linear.load(weights.at("to_k"), contextDim, d, false),
        Linear.load(weights.at("to_v"), contextDim, d, false),
        Linear.load(weights.at("to_out.0"), d, d),
        Heads.of(heads, d / heads));
  }

  /** Keys and values of {@code context [n, s, contextDim]}: {@code [n, s, d]} each. */
  KeyValue keyValue(Tensor context) {
    return new KeyValue(toK.forward(context), toV.forward(context));
  }

  /** {@code hiddenStates} and {@code residual [n, s, d]} to {@code [n, s, d]}. */
  Tensor forward(Tensor hiddenStates, KeyValue keyValue, Tensor residual) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor query = toQ.forward(hiddenStates);
      Tensor attended = scaledDotProduct(query, keyValue.key(), keyValue.value(), heads, null);
      return scope.keep(toOut.forward(attended, residual));
    }
  }

  /** {@link #forward} where the tokens look at each other. */
  Tensor selfAttention(Tensor hiddenStates, Tensor residual) {
    try (var scope = hiddenStates.workspace().scope()) {
      return scope.keep(forward(hiddenStates, keyValue(hiddenStates), residual));
    }
  }

  /**
   * {@link #selfAttention}, but in the last {@code perturbed} samples each token looks at itself
   * alone (Ahn et al. 2024); diffusers {@code PAGCFGIdentitySelfAttnProcessor2_0}. Such a map of
   * attention is the identity, whatever queries and keys are: there they are not computed.
   */
  Tensor perturbedSelfAttention(Tensor hiddenStates, Tensor residual, int perturbed) {
    try (var scope = hiddenStates.workspace().scope()) {
      int original = hiddenStates.dim(0) - perturbed;
      Tensor attended = toV.forward(hiddenStates); // [n, s, d]
      if (original > 0) {
        Tensor hiddenStatesOrg = hiddenStates.first(original);
        Tensor query = toQ.forward(hiddenStatesOrg); // [original, s, d]
        Tensor key = toK.forward(hiddenStatesOrg);
        Tensor value = attended.first(original);
        Tensor attendedOrg = scaledDotProduct(query, key, value, heads, null);
        System.arraycopy(attendedOrg.data(), 0, attended.data(), 0, attendedOrg.shape().size());
      }
      return scope.keep(toOut.forward(attended, residual));
    }
  }
}
