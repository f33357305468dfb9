package io.github.kolors4j.run;

import io.github.kolors4j.tensor.FloatArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/** What a callback may read and replace between the steps of one image. */
final class DenoisingState {
  private final LatentSize size;
  private final float[] latents; // [h, w, c]
  private float[] originalSample;
  private final boolean hasNegative;
  private float guidanceScale;

  /** {@code [negative, positive, perturbed]}; the first under guidance, the last where it is on. */
  private List<BatchRow> rows;

  DenoisingState(ResolvedRequest request, float[] latents, List<BatchRow> rows) {
    this.size = request.size();
    this.latents = latents;
    this.originalSample = latents;
    this.guidanceScale = request.guidanceScale();
    this.hasNegative = doClassifierFreeGuidance();
    this.rows = List.copyOf(rows);
  }

  /** What the model saw in the latents before the last step {@code [h, w, c]}. */
  float[] originalSample() {
    return originalSample;
  }

  /** Remembers it, where somebody may look at it. */
  void setOriginalSample(float[] sample) {
    originalSample = sample;
  }

  FloatArray originalSampleChannelsFirst() {
    return ChannelOrder.toChannelsFirst(originalSample, size);
  }

  /** The latents themselves {@code [h, w, c]}. */
  float[] latents() {
    return latents;
  }

  float guidanceScale() {
    return guidanceScale;
  }

  boolean doClassifierFreeGuidance() {
    return guidanceScale > 1;
  }

  /** The rows of the U-Net's batch: that of the negative prompt only under guidance. */
  List<BatchRow> batch() {
    return hasNegative && !doClassifierFreeGuidance() ? rows.subList(1, rows.size()) : rows;
  }

  FloatArray latentsChannelsFirst() {
    return ChannelOrder.toChannelsFirst(latents, size);
  }

  void setLatents(FloatArray values) {
    require("latents", values, 1, size.channels(), size.height(), size.width());
    ChannelOrder.toChannelsLast(values, 0, size, latents);
  }

  void setGuidanceScale(double scale) {
    float value = (float) scale;
    if (!Float.isFinite(value)) {
      throw new IllegalArgumentException(
          "[callback] guidance scale %s is not a finite number.".formatted(value));
    }
    if (value > 1 && !hasNegative) {
      throw new IllegalArgumentException(
          ("[callback] guidance scale %s: the request began without guidance, so its negative"
                  + " prompt is not encoded. Begin with a guidance scale above 1.")
              .formatted(value));
    }
    guidanceScale = value;
  }

  FloatArray all(Function<BatchRow, FloatArray> part) {
    return PreparedBatch.stacked(rows, part);
  }

  /** Replaces one part of all rows. */
  void replace(
      String name,
      FloatArray values,
      Function<BatchRow, FloatArray> part,
      BiFunction<BatchRow, FloatArray, BatchRow> with) {
    int[] dims = part.apply(rows.getFirst()).shape().dims();
    dims[0] = rows.size();
    require(name, values, dims);
    List<BatchRow> changed = new ArrayList<>();
    for (int row = 0; row < rows.size(); row++) {
      FloatArray own = values.row(row);
      changed.add(with.apply(rows.get(row), own));
    }
    rows = List.copyOf(changed);
  }

  private static void require(String name, FloatArray values, int... expected) {
    if (!Arrays.equals(values.shape().dims(), expected)) {
      throw new IllegalArgumentException(
          "[callback] %s are %s: %s is needed."
              .formatted(name, values.shape(), Arrays.toString(expected)));
    }
    String other = Finite.other(values);
    if (other != null) {
      throw new IllegalArgumentException(
          "[callback] %s hold %s: only finite numbers make a picture.".formatted(name, other));
    }
  }
}
