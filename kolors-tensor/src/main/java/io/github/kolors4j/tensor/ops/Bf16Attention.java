package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Bf16Kernel.Block;
import io.github.kolors4j.tensor.Bf16Kernel.Matrix;
import io.github.kolors4j.tensor.Bf16Kernel.Values;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.Scratch;
import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.kernel.KernelProvider;
import io.github.kolors4j.tensor.kernel.Kernels;
import io.github.kolors4j.tensor.ops.PairsOfPieces.Pair;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link Attention} with the products of a {@link Bf16Kernel}: the same blocks of keys against
 * panels of queries, on transposes. Scores, softmax and sums are F32; queries, keys, values and
 * weights are split into pieces where they meet.
 */
final class Bf16Attention {
  /** Keys a block: a multiple of {@link Bf16Kernel#STEP}. 128 × 64 scores take 33 kB. */
  private static final int KEYS = 128;

  private static final int QUERIES = Bf16Kernel.PANEL;

  /** Panels of queries a task, at most: a block of keys and values is packed once for them. */
  private static final int MAX_PANELS = 8;

  /** Values of a task's queries, at most. */
  private static final int TASK_QUERIES = 64 * 1024;

  private static final Slot<MemorySegment> QUERY_PANELS = Slot.panels("queries in BF16");
  private static final Slot<MemorySegment> KEY_ROWS = Slot.panels("a block of keys in BF16");
  private static final Slot<MemorySegment> VALUE_ROWS = Slot.panels("a block of values in BF16");
  private static final Slot<MemorySegment> WEIGHTS = Slot.panels("weights of a block and a panel");
  private static final Slot<MemorySegment> WEIGHT_PANELS = Slot.panels("weights in BF16");
  private static final Slot<float[]> SCALED = Slot.floats("queries of a panel, scaled");
  private static final Slot<float[]> TRANSPOSED = Slot.floats("a block of values, transposed");
  private static final Slot<float[]> SCORES = Slot.floats("scores of a block and a panel");
  private static final Slot<float[]> OUT = Slot.floats("results");
  private static final Slot<float[]> MAX = Slot.floats("running maxima");
  private static final Slot<float[]> SUM = Slot.floats("running sums");
  private static final Slot<float[]> CORRECTION = Slot.floats("corrections of a panel");

  private static final Kernels KERNELS = KernelProvider.kernels();

  private final AttentionOperands operands;
  private final Attention.Heads heads;
  private final Bf16Kernel kernel;
  private final PairsOfPieces pairs;
  private final ThreadPool threads;

  /** The width of a head up to a whole number of steps. */
  private final int depth;

  Bf16Attention(AttentionOperands operands, Products products, Bf16Kernel kernel) {
    this.operands = operands;
    this.kernel = kernel;
    heads = operands.heads();
    threads = operands.q().workspace().threads();
    pairs = PairsOfPieces.of(products, Bf16Kernel.PIECES, Bf16Kernel.PIECES);
    depth = wholeSteps(heads.dHead());
  }

  void run() {
    int panels = Math.ceilDiv(operands.sq(), QUERIES);
    int most = Math.clamp(TASK_QUERIES / (heads.dHead() * QUERIES), 1, MAX_PANELS);
    int tasks = Math.ceilDiv(panels, most);
    threads.run(
        operands.n() * heads.heads() * tasks,
        (index, scratch) -> {
          int head = index / tasks;
          int first = index % tasks * most;
          int count = Math.min(most, panels - first);
          attend(head / heads.heads(), head % heads.heads(), first * QUERIES, count, scratch);
        });
  }

  private static int wholeSteps(int length) {
    return Math.ceilDiv(length, Bf16Kernel.STEP) * Bf16Kernel.STEP;
  }

  /**
   * Blocks of packed values, one after the other.
   *
   * @param stride bytes from one row to the next
   * @param bytes of a block
   */
  private record Blocks(MemorySegment data, long stride, long bytes) {
    static Blocks rows(
        Bf16Kernel kernel, Slot<MemorySegment> slot, int rows, int k, Blocks.Room room) {
      long stride = (k + Bf16Kernel.STEP) * (long) Bf16Kernel.BYTES;
      long bytes = (long) Math.ceilDiv(rows, kernel.rows()) * kernel.rows() * stride;
      return room.of(slot, stride, bytes);
    }

    static Blocks panels(Slot<MemorySegment> slot, int k, Blocks.Room room) {
      long stride = 2L * QUERIES * Bf16Kernel.BYTES;
      return room.of(slot, stride, k / 2 * stride);
    }

    /** How many blocks there are, on a thread. */
    record Room(Scratch scratch, int blocks) {
      Blocks of(Slot<MemorySegment> slot, long stride, long bytes) {
        int values = Math.toIntExact(blocks * bytes / Float.BYTES);
        return new Blocks(scratch.get(slot, values), stride, bytes);
      }
    }

    Matrix block(int index) {
      return new Matrix(data, index * bytes, stride);
    }
  }

  /** Some panels of queries of one head against all keys. */
  private void attend(int sample, int head, int query, int panels, Scratch scratch) {
    int d = heads.dHead();
    int sk = operands.sk();
    int qWidth = heads.heads() * d;
    int kWidth = heads.kvHeads() * d;
    int kvHead = head / (heads.heads() / heads.kvHeads());
    int row = (sample * operands.sq() + query) * qWidth + head * d;
    int panel = d * QUERIES;
    int pieces = pairs.ofA();

    Blocks.Room each = new Blocks.Room(scratch, pieces);
    Blocks queries = // Qᵀ [panels, pieces, dHead, queries]
        Blocks.panels(QUERY_PANELS, depth, new Blocks.Room(scratch, panels * pieces));
    Blocks keyRows = Blocks.rows(kernel, KEY_ROWS, KEYS, depth, each); // K
    Blocks valueRows = Blocks.rows(kernel, VALUE_ROWS, d, KEYS, each); // Vᵀ
    Blocks weights = Blocks.panels(WEIGHT_PANELS, KEYS, each); // Pᵀ
    MemorySegment p = scratch.get(WEIGHTS, KEYS * QUERIES); // Pᵀ in F32
    float[] scores = scratch.get(SCORES, KEYS * QUERIES); // Sᵀ [keys, queries]
    float[] out = scratch.get(OUT, panels * panel); // Oᵀ [panels, dHead, queries]
    float[] max = scratch.get(MAX, panels * QUERIES);
    float[] sum = scratch.get(SUM, panels * QUERIES);
    float[] correction = scratch.get(CORRECTION, QUERIES);
    Arrays.fill(max, 0, panels * QUERIES, -Float.MAX_VALUE);
    Arrays.fill(sum, 0, panels * QUERIES, 0);
    Arrays.fill(out, 0, panels * panel, 0);
    long rowBytes = (long) Float.BYTES * QUERIES;
    Matrix s = new Matrix(MemorySegment.ofArray(scores), 0, rowBytes);
    Matrix o = new Matrix(MemorySegment.ofArray(out), 0, rowBytes);
    for (int i = 0; i < panels; i++) {
      packQueries(row + i * QUERIES * qWidth, present(query, i), queries, i * pieces, scratch);
    }
    for (int key = 0; key < sk; key += KEYS) {
      threads.checkStopped(); // all keys of a large picture take some tenths of a second
      int keys = Math.min(KEYS, sk - key);
      int from = (sample * sk + key) * kWidth + kvHead * d;
      packKeys(from, keys, kWidth, keyRows);
      packValues(from, keys, kWidth, valueRows, scratch);
      for (int i = 0; i < panels; i++) {
        Arrays.fill(scores, 0, keys * QUERIES, 0);
        multiply(new Block(keys, QUERIES, depth), keyRows, queries, i * pieces, s);
        operands.addMask(
            new AttentionOperands.Part(sample, query + i * QUERIES, present(query, i), key, keys),
            scores,
            QUERIES);
        KERNELS.softmaxBlock(scores, keys, QUERIES, max, sum, i * QUERIES, correction, p);
        KERNELS.scaleColumns(out, i * panel, d, QUERIES, correction);
        packWeights(p, keys, weights);
        Matrix results = o.from((long) Float.BYTES * i * panel);
        multiply(new Block(d, QUERIES, wholeSteps(keys)), valueRows, weights, 0, results);
      }
    }
    for (int i = 0; i < panels; i++) {
      for (int j = 0; j < QUERIES; j++) {
        correction[j] = 1 / sum[i * QUERIES + j];
      }
      KERNELS.scaleColumns(out, i * panel, d, QUERIES, correction);
      int to = row + i * QUERIES * qWidth;
      KERNELS.transpose(
          out, i * panel, QUERIES, d, present(query, i), operands.y().data(), to, qWidth);
    }
  }

  /** How many queries a task's panel has. */
  private int present(int query, int panel) {
    return Math.min(QUERIES, operands.sq() - query - panel * QUERIES);
  }

  private void multiply(Block block, Blocks a, Blocks b, int firstOfB, Matrix c) {
    for (Pair pair : pairs.pairs()) {
      kernel.multiply(block, a.block(pair.a()), b.block(firstOfB + pair.b()), c);
    }
  }

  /** Scales and packs a panel of queries; those that are missing become zeros. */
  private void packQueries(int from, int present, Blocks to, int block, Scratch scratch) {
    int d = heads.dHead();
    int width = heads.heads() * d;
    float scale = (float) (1 / Math.sqrt(d));
    float[] scaled = scratch.get(SCALED, QUERIES * d);
    for (int i = 0; i < present; i++) {
      KERNELS.scale(scale, operands.q().data(), from + i * width, scaled, i * d, d);
    }
    Values values = new DenseRows(scaled, d).values(0, present);
    for (int piece = 0; piece < pairs.ofB(); piece++) {
      kernel.packColumns(values, piece, to.block(block + piece));
    }
  }

  private void packKeys(int from, int keys, int width, Blocks to) {
    Matrix rows =
        new Matrix(
            MemorySegment.ofArray(operands.k().data()),
            (long) Float.BYTES * from,
            (long) Float.BYTES * width);
    for (int piece = 0; piece < pairs.ofA(); piece++) {
      kernel.packRows(new Values(DType.F32, rows, keys, heads.dHead()), piece, to.block(piece));
    }
  }

  private void packValues(int from, int keys, int width, Blocks to, Scratch scratch) {
    int d = heads.dHead();
    float[] transposed = scratch.get(TRANSPOSED, d * KEYS);
    KERNELS.transpose(operands.v().data(), from, width, keys, d, transposed, 0, KEYS);
    Matrix rows = new Matrix(MemorySegment.ofArray(transposed), 0, (long) Float.BYTES * KEYS);
    for (int piece = 0; piece < pairs.ofA(); piece++) {
      kernel.packRows(new Values(DType.F32, rows, d, keys), piece, to.block(piece));
    }
  }

  private void packWeights(MemorySegment weights, int keys, Blocks to) {
    Matrix rows = new Matrix(weights, 0, (long) Float.BYTES * QUERIES);
    for (int piece = 0; piece < pairs.ofB(); piece++) {
      kernel.packPairs(new Values(DType.F32, rows, keys, QUERIES), piece, to.block(piece));
    }
  }
}
