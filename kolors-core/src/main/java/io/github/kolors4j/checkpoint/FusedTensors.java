package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of a model with what adapters make of them, rounded to the types that they are stored
 * in: what a model is saved from. A tensor that no adapter changes keeps its bytes.
 *
 * @param files as they are stored
 * @param weights of the same files, under the adapters
 */
record FusedTensors(TensorSource files, Weights weights) implements TensorSource {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public Set<String> names() {
    return files.names();
  }

  @Override
  public Optional<TensorInfo> find(String name) {
    return files.find(name);
  }

  @Override
  public MemorySegment data(String name) {
    TensorInfo info = files.find(name).orElseThrow();
    Optional<DType> dtype = Weights.dtype(info);
    if (dtype.isEmpty()) {
      return files.data(name);
    }
    int[] dims = info.shape().stream().mapToInt(Math::toIntExact).toArray();
    Weight weight = weights.weight(name, dims);
    return weight instanceof StoredWeight ? files.data(name) : rounded(weight, dtype.get());
  }

  /** The values of a weight, to the nearest of a type and to even where two are as near. */
  private static MemorySegment rounded(Weight weight, DType dtype) {
    float[] values = weight.toFloats();
    MemorySegment data = Arena.ofAuto().allocate((long) values.length * dtype.bytes());
    for (int i = 0; i < values.length; i++) {
      switch (dtype) {
        case F32 -> data.set(FLOAT, 4L * i, values[i]);
        case F16 -> data.set(SHORT, 2L * i, Float.floatToFloat16(values[i]));
        case BF16 -> data.set(SHORT, 2L * i, bfloat16(values[i]));
      }
    }
    return data;
  }

  private static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  @Override
  public Map<String, String> metadata() {
    return files.metadata();
  }

  @Override
  public Path path() {
    return files.path();
  }

  @Override
  public void close() {
    files.close();
  }
}
