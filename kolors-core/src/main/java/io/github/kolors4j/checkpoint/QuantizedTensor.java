package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.Float8Weight;
import io.github.kolors4j.tensor.Int4Weight;
import io.github.kolors4j.tensor.Int8Weight;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a file has a parameter in 8 or 4 bits. Shapes tell which way it is: beside {@code weight}
 * stands {@code weight_scale}, F16.
 *
 * <ul>
 *   <li>{@code I8 [out, in]} with {@code [out]}: ChatGLM's 8 bits, a scale a row
 *   <li>{@code I8 [out, in / 2]} with {@code [out]}: ChatGLM's 4 bits, two values a byte
 *   <li>{@code I8 [out, in]} or {@code [out, in, kh, kw]} with {@code [out, groups]}: 8 bits, a
 *       scale for each {@link #GROUP} values of a row, or for all of it where there is one group
 *   <li>{@code F8_E4M3}, without scales
 * </ul>
 *
 * @param kind which of these
 * @param group values of a group; 0 where a row has one scale or none
 */
record QuantizedTensor(Kind kind, int group) {
  /** Values that share a scale in the files that this library writes. */
  static final int GROUP = 32;

  private static final String SCALE = "_scale";

  /** A representation. */
  enum Kind {
    INT8,
    INT4,
    FLOAT8
  }

  /** Where the scales of a parameter are. */
  static String scaleName(String key) {
    return key + SCALE;
  }

  /** Which parameter scales are of; empty for another tensor. */
  static Optional<String> ofScale(String name) {
    return name.endsWith(SCALE)
        ? Optional.of(name.substring(0, name.length() - SCALE.length()))
        : Optional.empty();
  }

  /** The extents of scales for a parameter of some shape. */
  static List<Long> scaleShape(List<Long> shape, int group) {
    long rowLength = shape.stream().skip(1).reduce(1L, (a, b) -> a * b);
    return group == 0
        ? List.of(shape.getFirst())
        : List.of(shape.getFirst(), Math.ceilDiv(rowLength, (long) group));
  }

  /**
   * How a tensor is stored.
   *
   * @param source its file
   * @param info the tensor
   * @param expected the shape that the model gives the parameter
   * @return empty where it is not one of these
   * @throws InvalidFileException if it is one, and its scales do not fit
   */
  static Optional<QuantizedTensor> of(TensorSource source, TensorInfo info, List<Long> expected)
      throws InvalidFileException {
    if (info.dtype() == DType.F8_E4M3) {
      return Optional.of(new QuantizedTensor(Kind.FLOAT8, 0));
    }
    Optional<TensorInfo> found =
        info.dtype() == DType.I8 && expected.size() > 1
            ? source.find(scaleName(info.name()))
            : Optional.empty();
    if (found.isEmpty()) {
      return Optional.empty();
    }
    TensorInfo scales = found.get();
    if (scales.dtype() != DType.F16) {
      throw fault(scales, "is stored as %s; only F16 is supported.".formatted(scales.dtype()));
    }
    if (scales.shape().equals(scaleShape(expected, 0))) {
      boolean halves = info.shape().equals(halved(expected));
      return Optional.of(new QuantizedTensor(halves ? Kind.INT4 : Kind.INT8, 0));
    }
    long rowLength = info.size() / Math.max(1, expected.getFirst());
    if (scales.shape().equals(scaleShape(expected, GROUP))) {
      return Optional.of(new QuantizedTensor(Kind.INT8, GROUP));
    }
    if (scales.shape().equals(List.of(expected.getFirst(), 1L))
        && info.shape().equals(expected)
        && rowLength <= Integer.MAX_VALUE) {
      return Optional.of(new QuantizedTensor(Kind.INT8, Math.max(1, (int) rowLength)));
    }
    throw fault(
        scales,
        "has the shape %s; for %s of %s, scales of %s (a row each), %s (groups of %s) or %s are known."
            .formatted(
                scales.shape(),
                info.name(),
                expected,
                scaleShape(expected, 0),
                scaleShape(expected, GROUP),
                GROUP,
                List.of(expected.getFirst(), 1)));
  }

  private static List<Long> halved(List<Long> shape) {
    List<Long> halved = new ArrayList<>(shape);
    long last = halved.removeLast();
    halved.add(last % 2 == 0 ? last / 2 : -1);
    return halved;
  }

  private static InvalidFileException fault(TensorInfo tensor, String what) {
    return new InvalidFileException(
        "[weights] %s: %s %s".formatted(tensor.file(), tensor.name(), what));
  }

  /** The shape that the tensor itself must have. */
  List<Long> storedShape(List<Long> expected) {
    return kind == Kind.INT4 ? halved(expected) : expected;
  }

  /** The weight over the bytes of its file, whose shapes are known to be right. */
  Weight weight(TensorSource source, String key, Shape wanted) {
    return switch (kind) {
      case FLOAT8 -> new Float8Weight(key, wanted, source.data(key));
      case INT4 -> new Int4Weight(key, wanted, source.data(key), source.data(scaleName(key)));
      case INT8 ->
          group == 0
              ? Int8Weight.perRow(key, wanted, source.data(key), source.data(scaleName(key)))
              : Int8Weight.inGroups(
                  key, wanted, group, source.data(key), source.data(scaleName(key)));
    };
  }
}
