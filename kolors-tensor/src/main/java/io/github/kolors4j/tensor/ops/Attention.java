package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Scaled dot-product attention (Vaswani et al. 2017), fused: no matrix of scores is ever whole. It
 * runs on transposes, a column a query, so that the softmax runs down the columns and no lane needs
 * another:
 *
 * <pre>
 *   Sᵀ [keys, queries]  = K · Qᵀ      a block of keys against a panel of queries
 *   Pᵀ [keys, queries]  = exp(Sᵀ − running maximum)
 *   Oᵀ [dHead, queries] = Oᵀ · correction + Vᵀ · Pᵀ
 * </pre>
 */
public final class Attention {
  /**
   * Keys a block: part of the numbers, so the same on every machine. A multiple of every tile's
   * rows; a block of scores of 64 queries takes 30 kB.
   */
  private static final int KEYS = 120;

  /** Panels of queries a task: their keys and values are in the cache from the second on. */
  private static final int PANELS_PER_TASK = 4;

  // Slots of the scratch panels.
  private static final int QUERIES = 0;
  private static final int WEIGHTS = 1;

  // Slots of the scratch buffers; 3 is Gemm's, 5 and 6 are those of Panels.
  private static final int SCORES = 0;
  private static final int OUT = 1;
  private static final int MAX = 2;
  private static final int SUM = 4;
  private static final int CORRECTION = 7;

  private static final Kernels KERNELS = KernelProvider.kernels();

  private final Heads heads;
  private final int n;
  private final int sq;
  private final int sk;
  private final int queries = Gemm.tileColumns();
  private final float[] q;
  private final float[] k;
  private final float[] v;
  private final float[] values;
  private final float[] mask;
  private final float[] y;

  private Attention(Tensor q, Tensor k, Tensor v, Heads heads, Tensor mask, Tensor y) {
    this.heads = heads;
    this.n = q.dim(0);
    this.sq = q.dim(1);
    this.sk = k.dim(1);
    this.q = q.data();
    this.k = k.data();
    this.v = v.data();
    this.values = q.workspace().tensor(v.shape()).data();
    this.mask = mask == null ? null : mask.data();
    this.y = y.data();
  }

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
    check(q, k, v, heads, mask);
    Tensor y = q.workspace().tensor(q.shape());
    try (Workspace.Scope _ = q.workspace().scope()) {
      new Attention(q, k, v, heads, mask, y).run(q.workspace());
    }
    return y;
  }

  private void run(Workspace workspace) {
    workspace.threads().run(n * heads.kvHeads(), (index, _) -> transposeValues(index));
    int panels = (sq + queries - 1) / queries;
    int tasks = (panels + PANELS_PER_TASK - 1) / PANELS_PER_TASK;
    workspace
        .threads()
        .run(
            n * heads.heads() * tasks,
            (index, scratch) -> {
              int head = index / tasks;
              int first = index % tasks * PANELS_PER_TASK;
              for (int p = first; p < Math.min(panels, first + PANELS_PER_TASK); p++) {
                attend(head / heads.heads(), head % heads.heads(), p * queries, scratch);
              }
            });
  }

  /** Vᵀ of one head, {@code [dHead, sk]}: a row of the left operand of {@code Oᵀ = Vᵀ · Pᵀ}. */
  private void transposeValues(int index) {
    int d = heads.dHead();
    int width = heads.kvHeads() * d;
    int from = index / heads.kvHeads() * sk * width + index % heads.kvHeads() * d;
    KERNELS.transpose(v, from, width, sk, d, values, index * d * sk, sk);
  }

  /** One panel of queries of one head against all keys. */
  private void attend(int sample, int head, int query, Scratch scratch) {
    int d = heads.dHead();
    int present = Math.min(queries, sq - query);
    int qWidth = heads.heads() * d;
    int kWidth = heads.kvHeads() * d;
    int kvHead = head / (heads.heads() / heads.kvHeads());
    int row = (sample * sq + query) * qWidth + head * d;

    float scale = (float) (1 / Math.sqrt(d));
    MemorySegment panel = scratch.panels(QUERIES, d * queries); // Qᵀ [dHead, queries]
    Panels.pack(
        (i, from, count, to, at) -> KERNELS.scale(scale, q, row + i * qWidth + from, to, at, count),
        present,
        queries,
        d,
        panel,
        0,
        scratch);

    float[] scores = scratch.floats(SCORES, KEYS * queries); // Sᵀ [keys, queries]
    MemorySegment weights = scratch.panels(WEIGHTS, KEYS * queries); // Pᵀ [keys, queries]
    float[] out = scratch.floats(OUT, d * queries); // Oᵀ [dHead, queries]
    float[] max = scratch.floats(MAX, queries);
    float[] sum = scratch.floats(SUM, queries);
    float[] correction = scratch.floats(CORRECTION, queries);
    Arrays.fill(max, 0, queries, -Float.MAX_VALUE);
    Arrays.fill(sum, 0, queries, 0);
    Arrays.fill(out, 0, d * queries, 0);
    Gemm.Block at = new Gemm.Block();
    for (int key = 0; key < sk; key += KEYS) {
      int keys = Math.min(KEYS, sk - key);
      int ko = (sample * sk + key) * kWidth + kvHead * d;
      Arrays.fill(scores, 0, keys * queries, 0);
      Gemm.block(keys, queries, d, at.set(k, ko, kWidth), panel, 0, scores, 0, queries, scratch);
      if (mask != null) {
        addMask(sample, query, present, key, keys, scores);
      }
      KERNELS.softmaxBlock(scores, keys, queries, max, sum, correction, weights);
      KERNELS.scaleColumns(out, d, queries, correction);
      int vo = (sample * heads.kvHeads() + kvHead) * d * sk + key;
      Gemm.block(d, queries, keys, at.set(values, vo, sk), weights, 0, out, 0, queries, scratch);
    }
    for (int j = 0; j < queries; j++) {
      correction[j] = 1 / sum[j];
    }
    KERNELS.scaleColumns(out, d, queries, correction);
    KERNELS.transpose(out, 0, queries, d, present, y, row, qWidth);
  }

  private void addMask(int sample, int query, int present, int key, int keys, float[] scores) {
    for (int j = 0; j < present; j++) {
      int from = (sample * sq + query + j) * sk + key;
      for (int i = 0; i < keys; i++) {
        scores[i * queries + j] += mask[from + i];
      }
    }
  }

  private static void check(Tensor q, Tensor k, Tensor v, Heads heads, Tensor mask) {
    Checks.that(
        q.shape().rank() == 3 && k.shape().rank() == 3,
        "[attention] q is %s and k %s: both must be [n, s, c].",
        q.shape(),
        k.shape());
    int n = q.dim(0);
    Checks.that(
        heads.kvHeads() > 0 && heads.heads() % heads.kvHeads() == 0,
        "[attention] %d query heads and %d key heads: the first must be a multiple of the second.",
        heads.heads(),
        heads.kvHeads());
    Checks.same("attention", "q", q, Shape.of(n, q.dim(1), heads.heads() * heads.dHead()));
    Checks.same("attention", "k", k, Shape.of(n, k.dim(1), heads.kvHeads() * heads.dHead()));
    Checks.same("attention", "v", v, k.shape());
    Checks.same("attention", "mask", mask, Shape.of(n, q.dim(1), k.dim(1)));
  }
}
