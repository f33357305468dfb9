package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Float8Weight;
import io.github.kolors4j.tensor.Int4Weight;
import io.github.kolors4j.tensor.Int8Weight;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a model with what adapters make of them, rounded to the types that they are stored
 * in, or to 8 bits: what a model is saved from. A tensor that nothing changes keeps its bytes.
 *
 * <p>For one thread.
 */
final class FusedTensors implements TensorSource {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final TensorSource files;

  /** In PyTorch's order, scales behind what they are of. */
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

  /** Those that cannot be copied, by the name of the parameter. */
  private final Map<String, Change> changes = new LinkedHashMap<>();

  /** The last one that was rounded to 8 bits: values and scales are asked for one by one. */
  private @Nullable String lastName;

  private @Nullable Int8Rounding last;

  /**
   * A parameter whose values are computed.
   *
   * @param weight the values
   * @param dtype to which type they are rounded; empty for 8 bits
   * @param group of 8 bits
   */
  private record Change(Weight weight, Optional<DType> dtype, int group) {}

  private FusedTensors(TensorSource files) {
    this.files = files;
  }

  /**
   * The tensors of a model.
   *
   * @param weights its parameters, under the adapters
   * @param quantization what is rounded to 8 bits, and what is left out
   * @throws InvalidFileException if an adapter changes what is stored in a type that nothing is
   *     rounded to
   */
  static FusedTensors of(Weights weights, Optional<Quantization> quantization)
      throws InvalidFileException {
    FusedTensors fused = new FusedTensors(weights.files());
    for (Parameter parameter : weights.defined()) {
      String name = parameter.name();
      Optional<TensorInfo> info = weights.files().find(name);
      boolean leftOut = quantization.map(each -> each.leavesOut().test(name)).orElse(false);
      if (info.isPresent() && !leftOut) {
        fused.add(parameter, info.get(), weights, quantization);
      }
    }
    return fused;
  }

  private void add(
      Parameter parameter, TensorInfo info, Weights weights, Optional<Quantization> quantization)
      throws InvalidFileException {
    String name = parameter.name();
    Optional<QuantizedTensor> quantized = QuantizedTensor.of(files, info, parameter.shape());
    Optional<DType> dtype = Weights.dtype(info);
    int[] dims = parameter.shape().stream().mapToInt(Math::toIntExact).toArray();
    boolean toInt8 =
        dtype.isPresent()
            && dims.length > 1
            && quantization.map(each -> each.covers().test(name)).orElse(false);
    Weight weight =
        dtype.isPresent() || quantized.isPresent()
            ? weights.weight(name, dims)
            : Weight.of(name, Shape.of(0));
    if (toInt8) {
      int group = quantization.orElseThrow().group();
      tensors.put(name, int8(info));
      tensors.put(QuantizedTensor.scaleName(name), scales(parameter, group, info));
      changes.put(name, new Change(weight, Optional.empty(), group));
      return;
    }
    tensors.put(name, info);
    files
        .find(QuantizedTensor.scaleName(name))
        .filter(_ -> quantized.isPresent())
        .ifPresent(scale -> tensors.put(scale.name(), scale));
    if (isStored(weight)) {
      return;
    }
    if (quantized.isPresent() && quantized.get().kind() != QuantizedTensor.Kind.INT8) {
      throw new InvalidFileException(
          "[save] %s: %s is stored as %s, and an adapter changes it: sums are written in F32, F16, BF16 and 8-bit integers. Save without the adapter, or give the adapter with each request."
              .formatted(info.file(), name, quantized.get().kind()));
    }
    changes.put(name, new Change(weight, dtype, quantized.map(QuantizedTensor::group).orElse(0)));
  }

  private static boolean isStored(Weight weight) {
    return weight instanceof StoredWeight
        || weight instanceof Int8Weight
        || weight instanceof Int4Weight
        || weight instanceof Float8Weight;
  }

  private static TensorInfo int8(TensorInfo info) {
    var dtype = io.github.kolors4j.safetensors.DType.I8;
    return new TensorInfo(
        info.name(), dtype, info.shape(), 0, dtype.byteLength(info.shape()), info.file());
  }

  private static TensorInfo scales(Parameter parameter, int group, TensorInfo info) {
    var dtype = io.github.kolors4j.safetensors.DType.F16;
    var shape = QuantizedTensor.scaleShape(parameter.shape(), group);
    String name = QuantizedTensor.scaleName(parameter.name());
    return new TensorInfo(name, dtype, shape, 0, dtype.byteLength(shape), info.file());
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public MemorySegment data(String name) {
    Change change = changes.get(name);
    if (change != null) {
      return change.dtype.isPresent()
          ? rounded(change.weight, change.dtype.get())
          : int8(name, change).values();
    }
    String parameter = QuantizedTensor.ofScale(name).orElse("");
    Change ofScale = changes.get(parameter);
    return ofScale == null ? files.data(name) : int8(parameter, ofScale).scales();
  }

  private Int8Rounding int8(String name, Change change) {
    Int8Rounding rounding = last;
    if (rounding == null || !name.equals(lastName)) {
      rounding = Int8Rounding.of(change.weight, change.group);
      last = rounding;
      lastName = name;
    }
    return rounding;
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
