package io.github.kolors4j.cli;

import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.tensor.FloatArray;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The F32 tensors of an open file.
 *
 * @param part of the command, for messages
 * @param path of the file, for messages
 * @param file open as long as this is used
 */
record F32Tensors(String part, Path path, SafetensorsFile file) {
  private static final ValueLayout.OfFloat LITTLE_FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int MOST_DIMENSIONS = 8;

  private static final int LISTED_AT_MOST = 8;

  /** A tensor that must be there. */
  FloatArray get(String name) throws IOException {
    Optional<FloatArray> found = find(name);
    if (found.isEmpty()) {
      throw new InvalidFileException(
          "[%s] %s has no tensor \"%s\", only %s.".formatted(part, path, name, names()));
    }
    return found.get();
  }

  /** What there is, as far as a message can hold it. */
  private String names() {
    List<String> listed = file.names().stream().limit(LISTED_AT_MOST).toList();
    int left = file.names().size() - listed.size();
    return JsonWriter.abbreviated(listed) + (left > 0 ? " and %,d more".formatted(left) : "");
  }

  /** A tensor that may be there. */
  Optional<FloatArray> find(String name) throws IOException {
    Optional<TensorInfo> found = file.find(name);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    TensorInfo info = found.get();
    if (info.dtype() != DType.F32) {
      throw new InvalidFileException(
          "[%s] %s: \"%s\" is %s: store it as F32.".formatted(part, path, name, info.dtype()));
    }
    if (info.shape().size() > MOST_DIMENSIONS) {
      throw new InvalidFileException(
          "[%s] %s: \"%s\" has %,d dimensions: %d are the most."
              .formatted(part, path, name, info.shape().size(), MOST_DIMENSIONS));
    }
    boolean fit = info.shape().stream().allMatch(extent -> extent <= Integer.MAX_VALUE);
    if (!fit || info.byteLength() > Integer.MAX_VALUE) { // an extent of 0 hides the others
      throw new InvalidFileException(
          "[%s] %s: \"%s\" is %s: 2^29 values are the most."
              .formatted(part, path, name, info.shape()));
    }
    float[] values = new float[(int) info.size()];
    MemorySegment.copy(file.data(name), LITTLE_FLOAT, 0, values, 0, values.length);
    int[] dims = info.shape().stream().mapToInt(Long::intValue).toArray();
    return Optional.of(FloatArray.of(values, dims));
  }
}
