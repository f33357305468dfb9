package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import io.github.kolors4j.tensor.kernel.MicroKernel;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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

  /** Panels of queries a task, at most: a block of keys and values is packed once for them. */
  private static final int MAX_PANELS = 8;

  /** Values of a task's queries, at most: 256 kB, and as much for its results. */
  private static final int TASK_QUERIES = 64 * 1024;

  private static final Slot<MemorySegment> QUERIES = Slot.panels("panels of queries");
  private static final Slot<MemorySegment> WEIGHTS = Slot.panels("a panel of weights");
  private static final Slot<float[]> KEY_BLOCK = Slot.floats("a block of keys");
  private static final Slot<float[]> VALUE_BLOCK = Slot.floats("a block of values");
  private static final Slot<float[]> SCORES = Slot.floats("scores of a block and a panel");
  private static final Slot<float[]> OUT = Slot.floats("results");
  private static final Slot<float[]> MAX = Slot.floats("running maxima");
  private static final Slot<float[]> SUM = Slot.floats("running sums");
  private static final Slot<float[]> CORRECTION = Slot.floats("corrections of a panel");

  private static final Kernels KERNELS = KernelProvider.kernels();

  private final ThreadPool threads;
  private final Heads heads;
  private final int n;
  private final int sq;
  private final int sk;
  private final int queries = Gemm.tileColumns();
  private final float[] q;
  private final float[] k;
  private final float[] v;
  private final float[] y;
  private final AttentionOperands operands;

  private Attention(AttentionOperands operands) {
    this.operands = operands;
    threads = operands.q().workspace().threads();
    heads = operands.heads();
    n = operands.n();
    sq = operands.sq();
    sk = operands.sk();
    q = operands.q().data();
    k = operands.k().data();
    v = operands.v().data();
    y = operands.y().data();
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
  public static Tensor scaledDotProduct(
      Tensor q, Tensor k, Tensor v, Heads heads, @Nullable Tensor mask) {
    check(q, k, v, heads, mask);
    Tensor y = q.workspace().tensor(q.shape());
    AttentionOperands operands = new AttentionOperands(heads, q, k, v, mask, y);
    Workspace workspace = q.workspace();
    try (Workspace.Scope _ = workspace.scope()) {
      Optional<Bf16Kernel> kernel = workspace.products().kernel();
      if (kernel.isPresent()) {
        new Bf16Attention(operands, workspace.products(), kernel.get()).run();
      } else {
        new Attention(operands).run();
      }
    }
    return y;
  }

  private void run() {
    int panels = Math.ceilDiv(sq, queries);
    int most = Math.clamp(TASK_QUERIES / (heads.dHead() * queries), 1, MAX_PANELS);
    int tasks = Math.ceilDiv(panels, most);
    threads.run(
        n * heads.heads() * tasks,
        (index, scratch) -> {
          int head = index / tasks;
          int first = index % tasks * most;
          int count = Math.min(most, panels - first);
          attend(head / heads.heads(), head % heads.heads(), first * queries, count, scratch);
        });
  }

  /** Some panels of queries of one head against all keys. */
  private void attend(int sample, int head, int query, int panels, Scratch scratch) {
    int d = heads.dHead();
    int qWidth = heads.heads() * d;
    int kWidth = heads.kvHeads() * d;
    int kvHead = head / (heads.heads() / heads.kvHeads());
    int row = (sample * sq + query) * qWidth + head * d;
    int panel = d * queries;

    MemorySegment packed = scratch.get(QUERIES, panels * panel); // Qᵀ [panels, dHead, queries]
    for (int p = 0; p < panels; p++) {
      packQueries(row + p * queries * qWidth, present(query, p), packed, p * panel, scratch);
    }
    float[] keyBlock = scratch.get(KEY_BLOCK, PackedRows.size(KEYS, d)); // K
    float[] valueBlock = scratch.get(VALUE_BLOCK, PackedRows.size(d, KEYS)); // Vᵀ
    float[] scores = scratch.get(SCORES, KEYS * queries); // Sᵀ [keys, queries]
    MemorySegment weights = scratch.get(WEIGHTS, KEYS * queries); // Pᵀ [keys, queries]
    float[] out = scratch.get(OUT, panels * panel); // Oᵀ [panels, dHead, queries]
    float[] max = scratch.get(MAX, panels * queries);
    float[] sum = scratch.get(SUM, panels * queries);
    float[] correction = scratch.get(CORRECTION, queries);
    Arrays.fill(max, 0, panels * queries, -Float.MAX_VALUE);
    Arrays.fill(sum, 0, panels * queries, 0);
    Arrays.fill(out, 0, panels * panel, 0);
    Results s = new Results(scores, 0, queries);
    PackedRows valueRows = new PackedRows(valueBlock, 0, d);
    for (int key = 0; key < sk; key += KEYS) {
      threads.checkStopped(); // all keys of a large picture take some tenths of a second
      int keys = Math.min(KEYS, sk - key);
      int from = (sample * sk + key) * kWidth + kvHead * d;
      PackedRows keyRows = new PackedRows(keyBlock, 0, keys);
      keyRows.pack(
          (i, c, count, to, at, _) -> System.arraycopy(k, from + i * kWidth + c, to, at, count),
          0,
          0,
          d,
          scratch);
      KERNELS.transpose(v, from, kWidth, keys, d, valueBlock, 0, MicroKernel.LDA);
      PackedColumns pt = new PackedColumns(weights, 0, queries, keys);
      for (int p = 0; p < panels; p++) {
        PackedColumns qt = new PackedColumns(packed, p * panel, queries, d);
        Arrays.fill(scores, 0, keys * queries, 0);
        new MacroKernel(keyRows, qt, s).run(scratch);
        operands.addMask(
            new AttentionOperands.Part(sample, query + p * queries, present(query, p), key, keys),
            scores,
            queries);
        KERNELS.softmaxBlock(scores, keys, queries, max, sum, p * queries, correction, weights);
        KERNELS.scaleColumns(out, p * panel, d, queries, correction);
        Results o = new Results(out, p * panel, queries);
        new MacroKernel(valueRows, pt, o).run(scratch);
      }
    }
    for (int p = 0; p < panels; p++) {
      for (int j = 0; j < queries; j++) {
        correction[j] = 1 / sum[p * queries + j];
      }
      KERNELS.scaleColumns(out, p * panel, d, queries, correction);
      int to = row + p * queries * qWidth;
      KERNELS.transpose(out, p * panel, queries, d, present(query, p), y, to, qWidth);
    }
  }

  /** How many queries a task's panel has. */
  private int present(int query, int panel) {
    return Math.min(queries, sq - query - panel * queries);
  }

  /** Scales and packs a panel of queries. */
  private void packQueries(
      int from, int present, MemorySegment panels, int panel, Scratch scratch) {
    int d = heads.dHead();
    int width = heads.heads() * d;
    float scale = (float) (1 / Math.sqrt(d));
    new PackedColumns(panels, panel, queries, d)
        .pack(
            (i, c, count, to, at, _) ->
                KERNELS.scale(scale, q, from + i * width + c, to, at, count),
            0,
            present,
            0,
            threads,
            scratch);
  }

  private static void check(Tensor q, Tensor k, Tensor v, Heads heads, @Nullable Tensor mask) {
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
    if (mask != null) { // without one, a picture may have more scores than an array values
      Checks.same("attention", "mask", mask, Shape.of(n, q.dim(1), k.dim(1)));
    }
  }
}
