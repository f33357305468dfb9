package io.github.kolors4j.vae;

import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * How a map is cut into overlapping tiles, each computed by itself, and put together again; as
 * diffusers' {@code AutoencoderKL} does with {@code enable_tiling}, counted in cells of the latents
 * so that the tiles fit each other at every size.
 *
 * @param size height and width of a tile
 * @param stride from one tile to the next; what remains of the size is blended
 */
record Tiling(int size, int stride) {
  private static final double TILE_OVERLAP_FACTOR = 0.25;

  /** Tiles of a number of pixels, of which a cell has {@code scaleFactor} in each direction. */
  static Tiling of(int pixels, int scaleFactor) {
    int size = Math.max(pixels / scaleFactor, 1);
    return new Tiling(size, Math.max((int) (size * (1 - TILE_OVERLAP_FACTOR)), 1));
  }

  private int overlap() {
    return size - stride;
  }

  /** Pixels a cell before and after: 1 and f for a decode, f and 1 for an encode. */
  record Scale(int in, int out) {}

  /** Whether a map, in cells or pixels, is larger than one tile. */
  boolean cuts(Tensor x, Scale scale) {
    return x.dim(1) > size * scale.in || x.dim(2) > size * scale.in;
  }

  /**
   * Where tiles begin, in cells. A last one that would be shorter than the overlap is left out: the
   * one before it reaches the end too, and has more to see.
   */
  private List<Integer> starts(int extent) {
    return IntStream.iterate(0, at -> at < extent, at -> at + stride)
        .filter(at -> at == 0 || extent - at >= overlap())
        .boxed()
        .toList();
  }

  /** {@code x [1, h·in, w·in, cIn]} to {@code [1, h·out, w·out, cOut]}, tile by tile. */
  Tensor forward(Tensor x, Scale scale, Shape shape, UnaryOperator<Tensor> model) {
    List<Integer> down = starts(shape.dim(1) / scale.out);
    List<Integer> across = starts(shape.dim(2) / scale.out);
    int blendExtent = overlap() * scale.out;
    int limit = stride * scale.out;
    Tensor y = x.workspace().tensor(shape);
    try (var scope = x.workspace().scope()) {
      Tensor[] above = new Tensor[across.size()];
      for (int top : down) {
        Tensor left = null;
        for (int j = 0; j < above.length; j++) {
          Tensor tile = model(x, top, across.get(j), scale, model);
          if (above[j] != null) {
            blendV(above[j], tile, blendExtent);
            scope.release(above[j]);
          }
          if (left != null) {
            blendH(left, tile, blendExtent);
          }
          int rows = top == down.getLast() ? tile.dim(1) : limit;
          int columns = j == above.length - 1 ? tile.dim(2) : limit;
          put(tile, rows, columns, y, top * scale.out, across.get(j) * scale.out);
          above[j] = tile;
          left = tile;
        }
      }
    }
    return y;
  }

  private Tensor model(Tensor x, int top, int left, Scale scale, UnaryOperator<Tensor> model) {
    try (var scope = x.workspace().scope()) {
      int row = top * scale.in;
      int column = left * scale.in;
      int h = Math.min(size * scale.in, x.dim(1) - row);
      int w = Math.min(size * scale.in, x.dim(2) - column);
      int c = x.dim(3);
      Tensor tile = x.workspace().tensor(1, h, w, c);
      for (int i = 0; i < h; i++) {
        int from = ((row + i) * x.dim(2) + column) * c;
        System.arraycopy(x.data(), from, tile.data(), i * w * c, w * c);
      }
      return scope.keep(model.apply(tile)); // [1, h/in·out, w/in·out, cOut]
    }
  }

  /** Fades from the last rows of {@code a} to {@code b}, in place. */
  private static void blendV(Tensor a, Tensor b, int blendExtent) {
    int row = b.dim(2) * b.dim(3);
    int from = (a.dim(1) - blendExtent) * row;
    for (int y = 0; y < blendExtent; y++) {
      mix(a, from + y * row, b, y * row, row, (double) y / blendExtent);
    }
  }

  /** Fades from the last columns of {@code a} to {@code b}, in place. */
  private static void blendH(Tensor a, Tensor b, int blendExtent) {
    int c = b.dim(3);
    for (int y = 0; y < b.dim(1); y++) {
      int from = (y * a.dim(2) + a.dim(2) - blendExtent) * c;
      int to = y * b.dim(2) * c;
      for (int x = 0; x < blendExtent; x++) {
        mix(a, from + x * c, b, to + x * c, c, (double) x / blendExtent);
      }
    }
  }

  private static void mix(Tensor a, int from, Tensor b, int to, int count, double share) {
    float ofA = (float) (1 - share);
    float ofB = (float) share;
    float[] x = a.data();
    float[] y = b.data();
    for (int i = 0; i < count; i++) {
      y[to + i] = x[from + i] * ofA + y[to + i] * ofB;
    }
  }

  private static void put(Tensor tile, int rows, int columns, Tensor y, int top, int left) {
    int c = y.dim(3);
    for (int i = 0; i < rows; i++) {
      int to = ((top + i) * y.dim(2) + left) * c;
      System.arraycopy(tile.data(), i * tile.dim(2) * c, y.data(), to, columns * c);
    }
  }
}
