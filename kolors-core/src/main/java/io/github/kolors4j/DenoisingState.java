package io.github.kolors4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/** What a callback may read and replace between the steps of one image. */
final class DenoisingState {
  private final LatentSize size;
  private final float[] latents; // [h, w, c]
  private final boolean hasNegative;
  private float guidanceScale;

  /** {@code [negative, positive, perturbed]}; the first under guidance, the last where it is on. */
  private List<ConditioningRow> rows;

  DenoisingState(
      LatentSize size, float[] latents, float guidanceScale, List<ConditioningRow> rows) {
    this.size = size;
    this.latents = latents;
    this.guidanceScale = guidanceScale;
    this.hasNegative = doClassifierFreeGuidance();
    this.rows = List.copyOf(rows);
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
  List<ConditioningRow> batch() {
    return hasNegative && !doClassifierFreeGuidance() ? rows.subList(1, rows.size()) : rows;
  }

  FloatArray latentsChannelsFirst() {
    return ChannelOrder.toChannelsFirst(latents, size);
  }

  void setLatents(FloatArray values) {
    require("latents", values, 1, size.channels(), size.height(), size.width());
    ChannelOrder.toChannelsLast(values.shared(), 0, size, latents);
  }

  void setGuidanceScale(float value) {
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

  FloatArray all(Function<ConditioningRow, FloatArray> part) {
    return Conditionings.stacked(rows, part);
  }

  /** Replaces one part of all rows. */
  void replace(
      String name,
      FloatArray values,
      Function<ConditioningRow, FloatArray> part,
      BiFunction<ConditioningRow, FloatArray, ConditioningRow> with) {
    int[] dims = part.apply(rows.getFirst()).shape().dims();
    dims[0] = rows.size();
    require(name, values, dims);
    List<ConditioningRow> changed = new ArrayList<>();
    for (int row = 0; row < rows.size(); row++) {
      FloatArray own = FloatArray.row(values.shared(), values.shape(), row);
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
  }
}
