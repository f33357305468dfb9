package io.github.kolors4j.tensor.ops;

import static io.github.kolors4j.tensor.Values.random;
import static io.github.kolors4j.tensor.Values.weight;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same bits whatever computes them: every operation's result is hashed, on several numbers of
 * threads, and the build runs this in a JVM of each width, which all expect the same constants.
 *
 * <p>The constants change when the numbers do: another KC of the products, another block of
 * attention or of the norms, another polynomial. Then, and only then, put in what the failure
 * prints, and see that every width prints the same.
 */
class SameBytesTest {
  private static final long SMALL = 0x225371e255d96238L;
  private static final long LARGE = 0x2efc2e0f42628ca6L;

  /** FNV-1a over the bits of every result, in order. */
  private static final class Hash {
    private long value = 0xcbf29ce484222325L;

    Tensor add(Tensor tensor) {
      float[] data = tensor.data();
      for (int i = 0; i < tensor.shape().size(); i++) {
        int bits = Float.floatToIntBits(data[i]);
        value = (value ^ (bits & 0xffffffffL)) * 0x100000001b3L;
      }
      return tensor;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void aChainOfAllOperationsGivesTheSameBits(int count) {
    assertEquals(hex(SMALL), hex(chain(count, 1)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  @Tag("large")
  void aLongerChainThatIsSplitMoreGivesTheSameBits(int count) {
    assertEquals(hex(LARGE), hex(chain(count, 6)));
  }

  private static String hex(long value) {
    return "0x%016xL".formatted(value);
  }

  private static long chain(int count, int times) {
    Hash hash = new Hash();
    try (ThreadPool threads = new ThreadPool(count);
        Workspace workspace = new Workspace(threads)) {
      text(workspace, hash, 11 * times);
      picture(workspace, hash, 3 + 2 * times, 5 + 2 * times);
    }
    return hash.value;
  }

  /** A text encoder's operations. */
  private static void text(Workspace workspace, Hash hash, int length) {
    int width = 60;
    int[][] ids = new int[2][length];
    int[][] positions = new int[2][length];
    float[] mask = new float[2 * length * length];
    for (int i = 0; i < 2 * length; i++) {
      ids[i / length][i % length] = i * 7 % 50;
      positions[i / length][i % length] = i % length;
      for (int j = i % length + 1; j < length; j++) {
        mask[i * length + j] = Float.NEGATIVE_INFINITY;
      }
    }
    Tensor x = hash.add(Embedding.lookup(workspace, weight(1, DType.F16, 50, width), ids));
    Tensor y = hash.add(Normalization.rmsNorm(x, 1e-5f, weight(2, DType.F16, width)));
    Tensor q = hash.add(MatMul.linear(y, weight(3, DType.F16, 80, width), weight(4, 80)));
    Tensor k = hash.add(MatMul.linear(y, weight(5, DType.BF16, 40, width), null));
    Rotary.rotateInPlace(q, 20, 10, positions);
    Rotary.rotateInPlace(k, 20, 10, positions);
    Tensor v = hash.add(MatMul.linear(y, weight(6, 40, width), null));
    Tensor seen = workspace.copyOf(mask, 2, length, length);
    y =
        hash.add(
            Attention.scaledDotProduct(hash.add(q), hash.add(k), v, new Heads(4, 2, 20), seen));
    x = hash.add(MatMul.linear(y, weight(7, DType.F16, width, 80), weight(8, width), x));
    y = hash.add(Normalization.layerNorm(x, 1e-5f, weight(9, width), weight(10, width)));
    y = hash.add(MatMul.linearSwiglu(y, weight(11, DType.F16, 540, width), null));
    x = hash.add(MatMul.linear(y, weight(12, DType.F16, width, 270), null, x));
    y = hash.add(MatMul.linearGeglu(x, weight(13, 2 * 97, width), weight(14, 2 * 97)));
    hash.add(MatMul.linear(y, weight(15, DType.BF16, 7, 97), weight(16, 7)));
  }

  /** A U-Net's and a VAE's operations. */
  private static void picture(Workspace workspace, Hash hash, int h, int w) {
    Geometry same = new Geometry(1, 1);
    Tensor latents = workspace.copyOf(random(20, 2 * h * w * 4), 2, h, w, 4);
    Tensor x = Elementwise.scale(latents, 0.7f);
    List<Weight> norm = new ArrayList<>(List.of(weight(21, 36), weight(22, 36)));
    x = hash.add(Convolution.conv2d(x, weight(23, DType.F16, 36, 4, 3, 3), weight(24, 36), same));
    Tensor y = hash.add(Normalization.groupNormSilu(x, 4, 1e-5f, norm.getFirst(), norm.getLast()));
    Tensor time = hash.add(Activation.silu(workspace.copyOf(random(25, 2 * 150), 2, 150)));
    // Few tiles and many columns, then the reverse: Winograd's two orders.
    y = hash.add(Convolution.conv2d(y, weight(26, DType.F16, 150, 36, 3, 3), null, same, time));
    y = hash.add(Resampling.nearest(y, 2 * h + 1, 2 * w));
    y = hash.add(Convolution.conv2d(y, weight(27, DType.BF16, 16, 150, 3, 3), null, same));
    y = hash.add(Convolution.conv2d(y, weight(28, 36, 16, 3, 3), null, new Geometry(2, 1)));
    y = hash.add(Convolution.conv2d(y, weight(29, 36, 36, 1, 1), null, new Geometry(1, 0), y));
    Tensor rows = y.reshape(2, y.dim(1) * y.dim(2), 36);
    Tensor out = hash.add(Attention.scaledDotProduct(rows, rows, rows, Heads.of(3, 12), null));
    out = hash.add(Elementwise.concat(hash.add(Elementwise.add(out, rows)), rows));
    out = hash.add(Normalization.groupNorm(out, 8, 1e-6f, weight(30, 72), weight(31, 72)));
    out = hash.add(Activation.gelu(Elementwise.slice(out, 3, 70)));
    hash.add(Elementwise.multiply(out, out));
  }
}
