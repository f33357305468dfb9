package io.github.kolors4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What counts as finite in each type. */
class FiniteWeightsTest {
  /** One tensor {@code [2, 3]}, whose fifth value has the given bits. */
  private record One(DType dtype, long bits) implements TensorSource {
    @Override
    public Set<String> names() {
      return Set.of("w");
    }

    @Override
    public Optional<TensorInfo> find(String name) {
      List<Long> shape = List.of(2L, 3L);
      return Optional.of(
          new TensorInfo(name, dtype, shape, 0, dtype.byteLength(shape), Path.of("file")));
    }

    @Override
    public MemorySegment data(String name) {
      int bytes = (int) (dtype.byteLength(List.of(2L, 3L)) / 6);
      ByteBuffer data = ByteBuffer.allocate(6 * bytes).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < bytes; i++) {
        data.put(4 * bytes + i, (byte) (bits >> 8 * i));
      }
      return MemorySegment.ofArray(data.array());
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public Path path() {
      return Path.of("file");
    }

    @Override
    public void close() {}
  }

  private static void assertFound(DType dtype, long bits) {
    InvalidFileException found =
        assertThrows(
            InvalidFileException.class, () -> new FiniteWeights(new One(dtype, bits)).require());
    assertTrue(
        found.getMessage().startsWith("[weights] file: w " + dtype + " is not finite at [1, 1]: "),
        found.getMessage());
  }

  private static void assertPasses(DType dtype, long bits) {
    assertDoesNotThrow(() -> new FiniteWeights(new One(dtype, bits)).require());
  }

  @Test
  void nanAndBothInfinitiesAreFoundInEveryTypeThatHasThem() {
    for (long bits : new long[] {0x7c00, 0xfc00, 0x7e00, 0xfe01}) {
      assertFound(DType.F16, bits);
    }
    for (long bits : new long[] {0x7f80, 0xff80, 0x7fc0, 0xff81}) {
      assertFound(DType.BF16, bits);
    }
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertFound(DType.F32, Float.floatToRawIntBits(value));
      assertFound(DType.F64, Double.doubleToRawLongBits(value));
    }
  }

  @Test
  void theLargestFiniteValuesAndIntegersPass() {
    for (long bits : new long[] {0x7bff, 0xfbff, 1, 0x8000}) {
      assertPasses(DType.F16, bits);
    }
    for (long bits : new long[] {0x7f7f, 0xff7f, 1}) {
      assertPasses(DType.BF16, bits);
    }
    assertPasses(DType.F32, Float.floatToRawIntBits(-Float.MAX_VALUE));
    assertPasses(DType.F64, Double.doubleToRawLongBits(Double.MAX_VALUE));
    assertPasses(DType.I32, -1);
    assertPasses(DType.I64, 0x7ff0000000000000L);
  }
}
