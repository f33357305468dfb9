package io.github.kolors4j.run;

import io.github.kolors4j.tensor.FloatArray;

/** Latents between PyTorch's {@code [c, h, w]} of the doors and the engine's {@code [h, w, c]}. */
final class ChannelOrder {
  private ChannelOrder() {}

  /** Values {@code [c, h, w]} to {@code target [h, w, c]}. */
  static void toChannelsLast(float[] values, LatentSize size, float[] target) {
    for (int channel = 0; channel < size.channels(); channel++) {
      for (int cell = 0; cell < size.cells(); cell++) {
        target[cell * size.channels() + channel] = values[channel * size.cells() + cell];
      }
    }
  }

  /** One row of {@code latents [n, c, h, w]} to {@code target [h, w, c]}. */
  static void toChannelsLast(FloatArray latents, int row, LatentSize size, float[] target) {
    float[] values = new float[size.values()];
    latents.copyTo(row * values.length, values, 0, values.length);
    toChannelsLast(values, size, target);
  }

  /** Latents {@code [h, w, c]} to a new {@code [1, c, h, w]}. */
  static FloatArray toChannelsFirst(float[] latents, LatentSize size) {
    float[] values = new float[size.values()];
    for (int cell = 0; cell < size.cells(); cell++) {
      for (int channel = 0; channel < size.channels(); channel++) {
        values[channel * size.cells() + cell] = latents[cell * size.channels() + channel];
      }
    }
    return FloatArray.wrap(values, 1, size.channels(), size.height(), size.width());
  }
}
