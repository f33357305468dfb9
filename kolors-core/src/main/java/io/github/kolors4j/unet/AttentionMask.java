package io.github.kolors4j.unet;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where in a picture something counts, brought to the grid of each attention; diffusers' {@code
 * IPAdapterMaskProcessor.downsample}: bicubic, without a look at what lies between.
 */
public final class AttentionMask {
  /** PyTorch's, where Pillow has a half. */
  private static final float A = -0.75f;

  private final float[] values;
  private final int height;
  private final int width;
  private final Map<Integer, float[]> grids = new ConcurrentHashMap<>();

  private AttentionMask(float[] values, int height, int width) {
    this.values = values;
    this.height = height;
    this.width = width;
  }

  /**
   * A mask.
   *
   * @param values for each pixel 1 where it counts and 0 where not, row by row; not copied
   * @param height rows
   * @param width pixels in a row
   * @return the mask
   * @throws IllegalArgumentException if there are not as many values
   */
  public static AttentionMask of(float[] values, int height, int width) {
    if (values.length != (long) height * width || values.length == 0) {
      throw new IllegalArgumentException(
          "[unet] %s values make no mask of %sx%s pixels.".formatted(values.length, width, height));
    }
    return new AttentionMask(values, height, width);
  }

  /** What each query's finding is multiplied by; between 0 and 1 but for overshoot. */
  float[] at(int queries) {
    return grids.computeIfAbsent(queries, this::downsample);
  }

  private float[] downsample(int queries) {
    // the reference knows the number of queries alone, and the picture's proportions
    double ratio = (double) width / height;
    int h = Math.max(1, (int) Math.sqrt(queries / ratio));
    h += queries % h == 0 ? 0 : 1;
    int w = Math.max(1, queries / h);
    float[] grid = new float[queries];
    float[] rows = new float[h * width];
    Taps vertical = Taps.of(height, h);
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < width; x++) {
        float sum = 0;
        for (int k = 0; k < Taps.COUNT; k++) {
          sum += values[vertical.index[y][k] * width + x] * vertical.weight[y][k];
        }
        rows[y * width + x] = sum;
      }
    }
    Taps horizontal = Taps.of(width, w);
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w && y * w + x < queries; x++) {
        float sum = 0;
        for (int k = 0; k < Taps.COUNT; k++) {
          sum += rows[y * width + horizontal.index[x][k]] * horizontal.weight[x][k];
        }
        grid[y * w + x] = sum;
      }
    }
    return grid;
  }

  /** One direction: of each target cell four neighbours and what they count. */
  private record Taps(int[][] index, float[][] weight) {
    static final int COUNT = 4;

    static Taps of(int from, int to) {
      int[][] index = new int[to][COUNT];
      float[][] weight = new float[to][];
      float scale = (float) from / to;
      for (int i = 0; i < to; i++) {
        float at = scale * (i + 0.5f) - 0.5f;
        int first = (int) Math.floor(at);
        float t = at - first;
        for (int k = 0; k < COUNT; k++) {
          index[i][k] = Math.clamp(first - 1L + k, 0, from - 1);
        }
        weight[i] = new float[] {far(t + 1), near(t), near(1 - t), far(2 - t)};
      }
      return new Taps(index, weight);
    }

    private static float near(float x) {
      return ((A + 2) * x - (A + 3)) * x * x + 1;
    }

    private static float far(float x) {
      return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
    }
  }
}
