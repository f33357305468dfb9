package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What an attention is computed of, and where to.
 *
 * @param heads the heads
 * @param q {@code [n, sq, heads·dHead]}
 * @param k {@code [n, sk, kvHeads·dHead]}
 * @param v {@code [n, sk, kvHeads·dHead]}
 * @param mask {@code [n, sq, sk]} or null
 * @param y {@code [n, sq, heads·dHead]}
 */
record AttentionOperands(
    Attention.Heads heads, Tensor q, Tensor k, Tensor v, @Nullable Tensor mask, Tensor y) {
  /** Samples. */
  int n() {
    return q.dim(0);
  }

  /** Queries of a sample. */
  int sq() {
    return q.dim(1);
  }

  /** Keys of a sample. */
  int sk() {
    return k.dim(1);
  }

  /**
   * A part of a sample's keys against a part of its queries.
   *
   * @param query the first
   * @param queries how many
   * @param key the first
   * @param keys how many
   */
  record Part(int sample, int query, int queries, int key, int keys) {}

  /**
   * Adds the mask to scores, where there is one.
   *
   * @param scores {@code [keys, width]}
   * @param width queries of a panel, at least those of the part
   */
  void addMask(Part part, float[] scores, int width) {
    if (mask == null) {
      return;
    }
    float[] values = mask.data();
    for (int j = 0; j < part.queries; j++) {
      int from = (part.sample * sq() + part.query + j) * sk() + part.key;
      for (int i = 0; i < part.keys; i++) {
        scores[i * width + j] += values[from + i];
      }
    }
  }
}
