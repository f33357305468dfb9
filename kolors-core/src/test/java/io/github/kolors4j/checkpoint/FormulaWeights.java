package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Random F16 weights that a formula gives, here and in {@code fixtures/image_prompt_fixtures.py},
 * so that no file holds them.
 */
public final class FormulaWeights {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private FormulaWeights() {}

  /** Writes all tensors of a model. */
  public static void write(Path file, List<Parameter> parameters, int seed) throws IOException {
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      tensors.put(parameter.name(), data(parameter, seed));
    }
    SafetensorsWriter.write(file, Map.of(), tensors);
  }

  private static TensorData data(Parameter parameter, int seed) {
    CRC32 crc = new CRC32();
    crc.update((seed + "/" + parameter.name()).getBytes(StandardCharsets.UTF_8));
    int size = Math.toIntExact(parameter.size());
    ByteBuffer bytes = ByteBuffer.allocate(size * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    long rowLength = parameter.size() / parameter.shape().getFirst();
    for (int i = 0; i < size; i++) {
      long bits = mix((crc.getValue() << 32) + (i + 1) * GOLDEN);
      double uniform = (bits >>> 40) / (double) (1 << 23) - 1;
      double value;
      if (parameter.name().endsWith("bias")) {
        value = 0.1 * uniform;
      } else if (parameter.shape().size() == 1) {
        value = 1 + 0.2 * uniform;
      } else {
        value = uniform * Math.sqrt(3.0 / rowLength);
      }
      bytes.putShort(Float.floatToFloat16((float) value));
    }
    return new TensorData(DType.F16, parameter.shape(), MemorySegment.ofArray(bytes.array()));
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
