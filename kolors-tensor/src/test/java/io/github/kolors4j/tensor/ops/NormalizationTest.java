package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.EPS;
import static io.github.kolors4j.tensor.Values.assertClose;
import static io.github.kolors4j.tensor.Values.assertSameBits;
import static io.github.kolors4j.tensor.Values.random;
import static io.github.kolors4j.tensor.Values.weight;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Group, layer and RMS norms against their definitions in double. */
class NormalizationTest {
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

  private Tensor values(float mean, float spread, int... dims) {
    float[] values = random(1, Shape.of(dims).size());
    for (int i = 0; i < values.length; i++) {
      values[i] = mean + spread * values[i];
    }
    return workspace.copyOf(values, dims);
  }

  /** Mean and variance of some values, in double. */
  private record Moments(double mean, double variance) {
    interface At {
      double of(int index);
    }

    static Moments of(int n, At values) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += values.of(i);
      }
      double mean = sum / n;
      double squares = 0;
      for (int i = 0; i < n; i++) {
        double d = values.of(i) - mean;
        squares += d * d;
      }
      return new Moments(mean, squares / n);
    }
  }

  private void checkGroups(Tensor x, int groups, float eps, DType dtype, boolean silu) {
    int c = x.dim(-1);
    int n = x.dim(0);
    int pixels = x.shape().rows() / n;
    int width = c / groups;
    Weight weight = weight(2, dtype, c);
    Weight bias = weight(3, dtype, c);
    float[] gamma = weight.toFloats();
    float[] beta = bias.toFloats();
    Tensor y =
        silu
            ? Normalization.groupNormSilu(x, groups, eps, weight, bias)
            : Normalization.groupNorm(x, groups, eps, weight, bias);
    assertEquals(x.shape(), y.shape());
    float[] data = x.data();
    for (int i = 0; i < n; i++) {
      for (int g = 0; g < groups; g++) {
        int from = i * pixels * c + g * width;
        Moments moments = Moments.of(pixels * width, q -> data[from + q / width * c + q % width]);
        double inverse = 1 / Math.sqrt(moments.variance() + eps);
        for (int q = 0; q < pixels * width; q++) {
          int at = from + q / width * c + q % width;
          int channel = g * width + q % width;
          double expected = (data[at] - moments.mean()) * inverse * gamma[channel] + beta[channel];
          expected = silu ? expected / (1 + Math.exp(-expected)) : expected;
          // x · scale and the shift are each as large as the mean; so is the error of the mean.
          double size = (Math.abs(data[at]) + Math.abs(moments.mean())) * inverse + 1;
          assertClose(expected, y.data()[at], 16 * EPS * size, x, at);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "4,2", "15,3", "16,16", "36,4", "60,5", "64,32", "130,1"})
  void groupNormOfEveryNumberOfChannelsIsTheDefinition(int channels, int groups) {
    checkGroups(values(0, 1, 2, 3, 5, channels), groups, 1e-5f, DType.F32, false);
    checkGroups(values(0.5f, 2, 2, 3, 5, channels), groups, 1e-6f, DType.F16, true);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 255, 256, 257, 1000})
  void groupNormOfEveryNumberOfPixelsIsTheDefinition(int pixels) {
    checkGroups(values(0, 1, 2, pixels, 6), 2, 1e-5f, DType.F32, false);
  }

  @Test
  void groupNormKeepsItsDigitsWhereTheMeanIsFarFromZero() {
    checkGroups(values(1000, 1, 1, 30, 31, 8), 2, 1e-5f, DType.F32, false);
    checkGroups(values(-50_000, 1, 1, 30, 31, 8), 2, 1e-5f, DType.F32, false);
  }

  @Test
  void theEpsilonIsTheCallers() {
    checkGroups(values(0, 1e-4f, 1, 9, 8), 2, 1e-5f, DType.F32, false);
    checkGroups(values(0, 1e-4f, 1, 9, 8), 2, 1e-2f, DType.F32, false);
    Tensor flat = values(3, 0, 1, 9, 8);
    checkGroups(flat, 2, 1e-6f, DType.F32, false);
  }

  /** One F32 chain over as many values is off by 3e-5. */
  @Test
  @Tag("large")
  void groupNormOfFourMillionValuesLosesNoDigits() {
    checkGroups(values(0.3f, 1, 1, 1 << 19, 8), 1, 1e-6f, DType.F32, false);
  }

  @Test
  void groupNormWithSiluIsGroupNormThenSilu() {
    Tensor x = values(0, 1, 2, 300, 36);
    Weight weight = weight(2, 36);
    Weight bias = weight(3, 36);
    float[] apart = Activation.silu(Normalization.groupNorm(x, 4, 1e-5f, weight, bias)).toArray();
    float[] fused = Normalization.groupNormSilu(x, 4, 1e-5f, weight, bias).toArray();
    for (int i = 0; i < apart.length; i++) {
      assertSameBits(apart[i], fused[i], "at " + i);
    }
  }

  @Test
  void aSampleIsNormalizedByItself() {
    Tensor both = values(0, 1, 2, 300, 8);
    Tensor second = workspace.tensor(1, 300, 8);
    System.arraycopy(both.data(), 2400, second.data(), 0, 2400);
    float[] y = Normalization.groupNorm(both, 2, 1e-5f, weight(2, 8), weight(3, 8)).toArray();
    float[] alone = Normalization.groupNorm(second, 2, 1e-5f, weight(2, 8), weight(3, 8)).toArray();
    for (int i = 0; i < 2400; i++) {
      assertSameBits(alone[i], y[2400 + i], "at " + i);
    }
  }

  private void checkRows(float mean, float spread, float eps, int... dims) {
    Tensor x = values(mean, spread, dims);
    int d = x.dim(-1);
    Weight weight = weight(2, DType.F16, d);
    Weight bias = weight(3, DType.BF16, d);
    float[] gamma = weight.toFloats();
    float[] beta = bias.toFloats();
    Tensor layer = Normalization.layerNorm(x, eps, weight, bias);
    Tensor rms = Normalization.rmsNorm(x, eps, weight);
    assertEquals(x.shape(), layer.shape());
    assertEquals(x.shape(), rms.shape());
    for (int row = 0; row < x.shape().rows(); row++) {
      int from = row * d;
      Moments moments = Moments.of(d, i -> x.data()[from + i]);
      Moments squares = Moments.of(d, i -> (double) x.data()[from + i] * x.data()[from + i]);
      double inverse = 1 / Math.sqrt(moments.variance() + eps);
      double rootInverse = 1 / Math.sqrt(squares.mean() + eps);
      for (int i = 0; i < d; i++) {
        double value = x.data()[from + i];
        double expected = (value - moments.mean()) * inverse * gamma[i] + beta[i];
        double size = (Math.abs(value) + Math.abs(moments.mean())) * inverse + 1;
        assertClose(expected, layer.data()[from + i], 8 * EPS * size, x, from + i);
        expected = value * rootInverse * gamma[i];
        assertClose(expected, rms.data()[from + i], 16 * EPS * Math.abs(expected), x, from + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 33, 130, 1023, 1024, 1025, 3000})
  void layerAndRmsNormOfEveryWidthAreTheirDefinitions(int d) {
    checkRows(0, 1, 1e-5f, 2, 3, d);
    checkRows(2, 3, 1e-6f, 33, d);
  }

  @Test
  void layerNormKeepsItsDigitsWhereTheMeanIsFarFromZero() {
    checkRows(1000, 1, 1e-5f, 3, 700);
  }

  @Test
  void rowsOfZerosStayFinite() {
    checkRows(0, 0, 1e-5f, 3, 40);
  }

  // Shapes that do not fit

  @Test
  void groupsThatDoNotDivideTheChannelsAreRefused() {
    Tensor x = workspace.tensor(1, 4, 6);
    Refused.with(
        "[group_norm] x is [1, 4, 6], whose channels do not split into 4 groups.",
        () -> Normalization.groupNorm(x, 4, 1e-5f, weight(2, 6), weight(3, 6)));
    Refused.with(
        "[group_norm] x is [1, 4, 6], whose channels do not split into 0 groups.",
        () -> Normalization.groupNormSilu(x, 0, 1e-5f, weight(2, 6), weight(3, 6)));
  }

  @Test
  void parametersOfOtherLengthsAreRefused() {
    Tensor x = workspace.tensor(1, 4, 6);
    Refused.with(
        "[group_norm] w2 F32 [5] must be [6].",
        () -> Normalization.groupNorm(x, 2, 1e-5f, weight(2, 5), weight(3, 6)));
    Refused.with(
        "[group_norm] w3 F32 [2, 3] must be [6].",
        () -> Normalization.groupNormSilu(x, 2, 1e-5f, weight(2, 6), weight(3, 2, 3)));
    Refused.with(
        "[layer_norm] w2 F32 [5] must be [6].",
        () -> Normalization.layerNorm(x, 1e-5f, weight(2, 5), weight(3, 6)));
    Refused.with(
        "[layer_norm] w3 F32 [5] must be [6].",
        () -> Normalization.layerNorm(x, 1e-5f, weight(2, 6), weight(3, 5)));
    Refused.with(
        "[rms_norm] w2 F32 [5] must be [6].", () -> Normalization.rmsNorm(x, 1e-5f, weight(2, 5)));
  }
}
