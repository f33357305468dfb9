package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Tensor;

/** Scaled dot-product attention (Vaswani et al. 2017). */
public final class Attention {
  private Attention() {}

  /**
   * The heads of an attention: queries may have more heads than keys and values have, each of which
   * then serves {@code heads / kvHeads} neighbouring query heads (grouped queries).
   *
   * @param heads heads of the queries
   * @param kvHeads heads of the keys and values, a divisor of {@code heads}
   * @param dHead width of a head
   */
  public record Heads(int heads, int kvHeads, int dHead) {
    /**
     * As many heads in keys and values as in queries.
     *
     * @param heads how many
     * @param dHead width of a head
     * @return the heads
     */
    public static Heads of(int heads, int dHead) {
      return new Heads(heads, heads, dHead);
    }
  }

  /**
   * {@code softmax(q · kᵀ / √dHead + mask) · v}, each head by itself.
   *
   * @param q {@code [n, sq, heads·dHead]}
   * @param k {@code [n, sk, kvHeads·dHead]}
   * @param v {@code [n, sk, kvHeads·dHead]}
   * @param heads the heads
   * @param mask {@code [n, sq, sk]}, 0 where a query sees a key and −∞ where not, at least one 0 a
   *     row; or null when all see all
   * @return {@code [n, sq, heads·dHead]}
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public static Tensor scaledDotProduct(Tensor q, Tensor k, Tensor v, Heads heads, Tensor mask) {
    int n = q.dim(0);
    int sq = q.dim(1);
    int sk = k.dim(1);
    int d = heads.dHead();
    int group = heads.heads() / heads.kvHeads();
    Tensor y = q.workspace().tensor(q.shape());
    double[] p = new double[sk];
    for (int i = 0; i < n; i++) {
      for (int head = 0; head < heads.heads(); head++) {
        for (int row = 0; row < sq; row++) {
          double max = Double.NEGATIVE_INFINITY;
          int qo = ((i * sq + row) * heads.heads() + head) * d;
          for (int col = 0; col < sk; col++) {
            int ko = ((i * sk + col) * heads.kvHeads() + head / group) * d;
            double s = 0;
            for (int e = 0; e < d; e++) {
              s += (double) q.data()[qo + e] * k.data()[ko + e];
            }
            p[col] = s / Math.sqrt(d) + (mask == null ? 0 : mask.data()[(i * sq + row) * sk + col]);
            max = Math.max(max, p[col]);
          }
          double sum = 0;
          for (int col = 0; col < sk; col++) {
            p[col] = Math.exp(p[col] - max);
            sum += p[col];
          }
          for (int e = 0; e < d; e++) {
            double s = 0;
            for (int col = 0; col < sk; col++) {
              int vo = ((i * sk + col) * heads.kvHeads() + head / group) * d;
              s += p[col] * v.data()[vo + e];
            }
            y.data()[qo + e] = (float) (s / sum);
          }
        }
      }
    }
    return y;
  }
}
