package io.github.kolors4j.unet;

import static io.github.kolors4j.tensor.ops.Attention.scaledDotProduct;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import io.github.kolors4j.tensor.ops.Elementwise;
import java.util.List;
import java.util.Optional;

/**
 * Attention of tokens to tokens, or to the text; diffusers {@code Attention}. What the text gives
 * to look at comes from the caller, because it is the same in every step.
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

  /** {@code tokens [n, s, contextDim]} as this attention looks at them. */
  AttentionContext context(Tensor tokens) {
    return new AttentionContext(toK.forward(tokens), toV.forward(tokens), 1);
  }

  /** {@code hiddenStates} and {@code residual [n, s, d]} to {@code [n, s, d]}. */
  Tensor forward(Tensor hiddenStates, List<AttentionContext> contexts, Tensor residual) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor attended = attend(hiddenStates, contexts);
      return scope.keep(toOut.forward(attended, residual));
    }
  }

  /** {@link #forward} where the tokens look at each other; in the last samples perturbed. */
  Tensor selfAttention(Tensor hiddenStates, Tensor residual, int perturbedRows) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor attended =
          perturbedRows == 0
              ? attend(hiddenStates, List.of(context(hiddenStates)))
              : attendPerturbed(hiddenStates, perturbedRows);
      return scope.keep(toOut.forward(attended, residual));
    }
  }

  /**
   * {@code hiddenStates [n, s, d]} to what its tokens find {@code [n, s, d]}: the sum over the
   * contexts, each by its scale. One of scale 0 is not looked at, one of scale 1 not multiplied.
   */
  Tensor attend(Tensor hiddenStates, List<AttentionContext> contexts) {
    try (var scope = hiddenStates.workspace().scope()) {
      Tensor query = toQ.forward(hiddenStates); // [n, s, d]
      Optional<Tensor> attended =
          contexts.stream()
              .filter(context -> context.scale() != 0)
              .map(context -> attend(query, context))
              .reduce(Elementwise::add);
      return scope.keep(attended.orElseGet(() -> Elementwise.scale(query, 0)));
    }
  }

  private Tensor attend(Tensor query, AttentionContext context) {
    Tensor attended = scaledDotProduct(query, context.key(), context.value(), heads, null);
    context.mask().ifPresent(mask -> multiply(attended, mask.at(query.dim(1))));
    return context.scale() == 1 ? attended : Elementwise.scale(attended, context.scale());
  }

  /** Multiplies each row of {@code x [n, s, d]} by a value of its own, in its place. */
  private static void multiply(Tensor x, float[] factors) {
    int d = x.dim(2);
    float[] values = x.data();
    for (int row = 0; row < x.shape().rows(); row++) {
      float factor = factors[row % factors.length];
      for (int i = row * d; i < (row + 1) * d; i++) {
        values[i] *= factor;
      }
    }
  }

  /**
   * {@link #attend} to each other, but in the last {@code perturbedRows} samples each token looks
   * at itself alone (Ahn et al. 2024); diffusers {@code PAGCFGIdentitySelfAttnProcessor2_0}. Such a
   * map of attention is the identity, whatever queries and keys are: there they are not computed.
   */
  private Tensor attendPerturbed(Tensor hiddenStates, int perturbedRows) {
    try (var scope = hiddenStates.workspace().scope()) {
      int original = hiddenStates.dim(0) - perturbedRows;
      Tensor attended = toV.forward(hiddenStates); // [n, s, d]
      if (original > 0) {
        Tensor hiddenStatesOrg = hiddenStates.first(original);
        Tensor query = toQ.forward(hiddenStatesOrg); // [original, s, d]
        Tensor key = toK.forward(hiddenStatesOrg);
        Tensor value = attended.first(original);
        Tensor attendedOrg = scaledDotProduct(query, key, value, heads, null);
        System.arraycopy(attendedOrg.data(), 0, attended.data(), 0, attendedOrg.shape().size());
      }
      return scope.keep(attended);
    }
  }
}
