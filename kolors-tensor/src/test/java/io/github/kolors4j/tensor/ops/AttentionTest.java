package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.random;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.tensor.OperationStoppedException;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fused attention against its definition in double, and its properties. */
class AttentionTest {
  private static ThreadPool threads;

  private Workspace workspace;

  @BeforeAll
  static void start() {
    threads = new ThreadPool(2);
  }

  @AfterAll
  static void end() {
    threads.close();
  }

  @BeforeEach
  void open() {
    workspace = new Workspace(threads);
  }

  @AfterEach
  void close() {
    workspace.close();
  }

  private Tensor values(long seed, float spread, int n, int s, int width) {
    float[] values = random(seed, n * s * width);
    for (int i = 0; i < values.length; i++) {
      values[i] *= spread;
    }
    return workspace.copyOf(values, n, s, width);
  }

  private void check(int n, int sq, int sk, Heads heads, float spread, Tensor mask) {
    int d = heads.dHead();
    Tensor q = values(1, spread, n, sq, heads.heads() * d);
    Tensor k = values(2, spread, n, sk, heads.kvHeads() * d);
    Tensor v = values(3, 1, n, sk, heads.kvHeads() * d);
    Tensor y = Attention.scaledDotProduct(q, k, v, heads, mask);
    assertEquals(q.shape(), y.shape());
    double[] scores = new double[sk];
    String where = "%d queries, %d keys, %s".formatted(sq, sk, heads);
    for (int i = 0; i < n * sq; i++) {
      int sample = i / sq;
      for (int head = 0; head < heads.heads(); head++) {
        int kv = head * heads.kvHeads() / heads.heads();
        int qo = (i * heads.heads() + head) * d;
        double max = Double.NEGATIVE_INFINITY;
        double size = 0;
        for (int j = 0; j < sk; j++) {
          int ko = ((sample * sk + j) * heads.kvHeads() + kv) * d;
          double score = 0;
          double magnitude = 0;
          for (int c = 0; c < d; c++) {
            score += (double) q.data()[qo + c] * k.data()[ko + c];
            magnitude += Math.abs((double) q.data()[qo + c] * k.data()[ko + c]);
          }
          size = Math.max(size, magnitude / Math.sqrt(d));
          scores[j] = score / Math.sqrt(d) + (mask == null ? 0 : mask.data()[i * sk + j]);
          max = Math.max(max, scores[j]);
        }
        double sum = 0;
        for (int j = 0; j < sk; j++) {
          scores[j] = Math.exp(scores[j] - max);
          sum += scores[j];
        }
        // Errors of a score, d roundings of its terms, are relative errors of its weight.
        double tolerance = EPS * (2 * (d + 4) * size + sk + 16);
        for (int c = 0; c < d; c++) {
          double expected = 0;
          for (int j = 0; j < sk; j++) {
            expected +=
                scores[j] / sum * v.data()[((sample * sk + j) * heads.kvHeads() + kv) * d + c];
          }
          assertClose(expected, y.data()[qo + c], tolerance, where, qo + c);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 119, 120, 121, 241})
  void everyNumberOfKeysAroundTheBlocksIsTheDefinition(int keys) {
    for (int queries : new int[] {1, 2, 17, 65}) {
      check(1, queries, keys, Heads.of(2, 8), 1, null);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, 16, 40, 64, 128, 512})
  void everyWidthOfAHeadIsTheDefinition(int dHead) {
    check(2, 7, 9, Heads.of(2, dHead), 1, null);
    check(1, 3, 121, Heads.of(1, dHead), 1, null);
  }

  @ParameterizedTest
  @ValueSource(ints = {119, 120, 121, 300})
  @Tag("large")
  void manyQueriesAreSplitOverTheThreads(int queries) {
    check(2, queries, 241, Heads.of(3, 40), 1, null);
  }

  @Test
  void groupedHeadsShareTheirKeysAndValues() {
    check(2, 5, 130, new Heads(6, 2, 16), 1, null);
    check(1, 5, 7, new Heads(4, 1, 8), 1, null);
  }

  @Test
  void largeScoresDoNotOverflow() {
    check(1, 5, 241, Heads.of(1, 64), 30, null); // scores of about ±2,000
  }

  @Test
  void aMaskHidesKeysAlsoWhereItHidesAWholeBlock() {
    int sq = 7;
    int sk = 241;
    float[] mask = new float[2 * sq * sk];
    for (int i = 0; i < 2 * sq; i++) {
      for (int j = 0; j < sk; j++) {
        boolean hidden = i % 3 == 0 ? j < 200 : i % 3 == 1 ? j > i : (i + j) % 2 == 0;
        mask[i * sk + j] = hidden ? Float.NEGATIVE_INFINITY : 0;
      }
    }
    check(2, sq, sk, Heads.of(2, 16), 1, workspace.copyOf(mask, 2, sq, sk));
  }

  @Test
  void aMaskOfTheLowestFiniteValueHidesToo() {
    float[] mask = new float[2 * 130];
    Arrays.fill(mask, 0, 125, -Float.MAX_VALUE);
    Arrays.fill(mask, 131, 260, -Float.MAX_VALUE);
    check(1, 2, 130, Heads.of(1, 16), 1, workspace.copyOf(mask, 1, 2, 130));
  }

  @Test
  void aMaskMayShiftScoresByFiniteAmounts() {
    check(1, 3, 125, Heads.of(1, 8), 1, values(9, 3, 1, 3, 125));
  }

  @Test
  void theWeightsOfAQuerySumToOne() {
    Tensor q = values(1, 3, 1, 33, 32);
    Tensor k = values(2, 3, 1, 250, 32);
    float[] ones = new float[250 * 32];
    Arrays.fill(ones, 1);
    Tensor v = workspace.copyOf(ones, 1, 250, 32);
    Tensor y = Attention.scaledDotProduct(q, k, v, Heads.of(2, 16), null);
    for (float value : y.toArray()) {
      assertClose(1, value, 250 * EPS, "sum of the weights");
    }
  }

  @Test
  void attentionOverEqualKeysIsTheMeanOfTheValues() {
    int sk = 241;
    Tensor q = values(1, 1, 1, 5, 16);
    float[] same = new float[sk * 16];
    Arrays.fill(same, 0.7f);
    Tensor v = values(3, 1, 1, sk, 16);
    Tensor y =
        Attention.scaledDotProduct(q, workspace.copyOf(same, 1, sk, 16), v, Heads.of(1, 16), null);
    for (int c = 0; c < 16; c++) {
      double mean = 0;
      for (int j = 0; j < sk; j++) {
        mean += v.data()[j * 16 + c] / (double) sk;
      }
      for (int i = 0; i < 5; i++) {
        assertClose(mean, y.data()[i * 16 + c], sk * EPS, "mean of the values");
      }
    }
  }

  @Test
  void oneKeyGivesItsValueBack() {
    Tensor q = values(1, 5, 2, 70, 24);
    Tensor v = values(3, 1, 2, 1, 24);
    Tensor y = Attention.scaledDotProduct(q, values(2, 5, 2, 1, 24), v, Heads.of(3, 8), null);
    for (int i = 0; i < 140; i++) {
      float[] row = Arrays.copyOfRange(y.data(), i * 24, i * 24 + 24);
      int sample = i / 70;
      assertArrayEquals(Arrays.copyOfRange(v.data(), sample * 24, sample * 24 + 24), row);
    }
  }

  // Shapes that do not fit

  @Test
  void headsThatDoNotGroupAreRefused() {
    Tensor q = workspace.tensor(1, 2, 24);
    Tensor k = workspace.tensor(1, 3, 16);
    Refused.with(
        "[attention] 3 query heads and 2 key heads: the first must be a multiple of the second.",
        () -> Attention.scaledDotProduct(q, k, k, new Heads(3, 2, 8), null));
    Refused.with(
        "[attention] 3 query heads and 0 key heads: the first must be a multiple of the second.",
        () -> Attention.scaledDotProduct(q, k, k, new Heads(3, 0, 8), null));
  }

  @Test
  void operandsOfOtherShapesAreRefused() {
    Heads heads = Heads.of(2, 8);
    Tensor q = workspace.tensor(1, 2, 16);
    Tensor k = workspace.tensor(1, 3, 16);
    Refused.with(
        "[attention] q is [1, 2, 24] and must be [1, 2, 16].",
        () -> Attention.scaledDotProduct(workspace.tensor(1, 2, 24), k, k, heads, null));
    Refused.with(
        "[attention] k is [2, 3, 16] and must be [1, 3, 16].",
        () -> Attention.scaledDotProduct(q, workspace.tensor(2, 3, 16), k, heads, null));
    Refused.with(
        "[attention] v is [1, 4, 16] and must be [1, 3, 16].",
        () -> Attention.scaledDotProduct(q, k, workspace.tensor(1, 4, 16), heads, null));
    Refused.with(
        "[attention] mask is [1, 3, 2] and must be [1, 2, 3].",
        () -> Attention.scaledDotProduct(q, k, k, heads, workspace.tensor(1, 3, 2)));
  }

  /**
   * As many as a picture of 1728×1728 has in the VAE: it is stopped when the shapes have passed.
   */
  @Test
  void thereMayBeMoreScoresThanAnArrayHasValues() {
    try (Workspace stopped = new Workspace(threads.stoppedBy(() -> true))) {
      Tensor q = stopped.tensor(1, 46_656, 2);
      assertThrows(
          OperationStoppedException.class,
          () -> Attention.scaledDotProduct(q, q, q, Heads.of(1, 2), null));
    }
  }

  @Test
  void anAttentionEndsBetweenItsKeysWhenNobodyWantsItAnyMore() {
    AtomicInteger asked = new AtomicInteger();
    try (Workspace stopped =
        new Workspace(threads.stoppedBy(() -> asked.incrementAndGet() > 100))) {
      Tensor q = stopped.tensor(1, 1, 8);
      Tensor k = stopped.tensor(1, 120 * 1000, 8);
      Arrays.fill(k.data(), 0);
      Arrays.fill(q.data(), 0);
      assertThrows(
          OperationStoppedException.class,
          () -> Attention.scaledDotProduct(q, k, k, Heads.of(1, 8), null));
      assertEquals(101, asked.get(), "in one task, a block of 120 keys at a time");
    }
  }

  @Test
  void operandsOfOtherRanksAreRefused() {
    Heads heads = Heads.of(2, 8);
    Tensor q = workspace.tensor(1, 2, 16);
    Refused.with(
        "[attention] q is [32] and k [1, 2, 16]: both must be [n, s, c].",
        () -> Attention.scaledDotProduct(q.reshape(32), q, q, heads, null));
    Refused.with(
        "[attention] q is [1, 2, 16] and k [32]: both must be [n, s, c].",
        () -> Attention.scaledDotProduct(q, q.reshape(32), q, heads, null));
  }
}
