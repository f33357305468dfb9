package io.github.kolors4j.examples.cli;

import io.github.kolors4j.FloatArray;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;

/** Latents in a safetensors file: one tensor of that name. */
final class Latents {
  static final String NAME = "latents";

  /** What PyTorch's readers look for. */
  static final Map<String, String> METADATA = Map.of("format", "pt");

  private static final ValueLayout.OfFloat LITTLE_FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Latents() {}

  /** Reads {@code latents [n, c, h/f, w/f]}. */
  static FloatArray read(Path path) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      TensorInfo info =
          file.find(NAME)
              .orElseThrow(
                  () ->
                      new IOException(
                          "[latents] %s has no tensor \"%s\", only %s."
                              .formatted(path, NAME, file.names())));
      if (info.dtype() != DType.F32) {
        throw new IOException(
            "[latents] %s: \"%s\" is %s: store it as F32.".formatted(path, NAME, info.dtype()));
      }
      if (info.shape().size() != 4 || info.size() == 0 || info.byteLength() > Integer.MAX_VALUE) {
        throw new UsageException(
            "[latents] %s: \"%s\" is %s: it must be [images, channels, height/f, width/f]."
                .formatted(path, NAME, info.shape()));
      }
      float[] values = new float[(int) info.size()];
      MemorySegment.copy(file.data(NAME), LITTLE_FLOAT, 0, values, 0, values.length);
      return FloatArray.of(values, info.shape().stream().mapToInt(Long::intValue).toArray());
    }
  }
}
