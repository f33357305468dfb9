package io.github.kolors4j;

/** Between PyTorch's {@code [c, h, w]} of the doors and the engine's {@code [h, w, c]}. */
final class ChannelOrder {
  private ChannelOrder() {}

  /** {@code [c, h·w]} at {@code from} to {@code [h·w, c]}. */
  static float[] toChannelsLast(float[] values, int from, int channels, int pixels) {
    return transpose(values, from, channels, pixels);
  }

  /** {@code [h·w, c]} at {@code from} to {@code [c, h·w]}. */
  static float[] toChannelsFirst(float[] values, int from, int channels, int pixels) {
    return transpose(values, from, pixels, channels);
  }

  private static float[] transpose(float[] values, int from, int rows, int columns) {
    float[] transposed = new float[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        transposed[column * rows + row] = values[from + row * columns + column];
      }
    }
    return transposed;
  }
}
