package io.github.kolors4j.cli;

import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.TensorInfo;
import java.util.Collection;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How many parameters a model has, by its tensors. What is computed and not trained does not count,
 * nor do the scales of quantized weights; a byte of a weight in 4 bits counts twice.
 */
final class ParameterCount {
  private static final String COMPUTED = "inv_freq";

  /** What is behind the name of a quantized weight in that of its scales. */
  private static final String SCALE = "_scale";

  /** The first matrix of a layer of ChatGLM, the model that files in 4 bits are of. */
  private static final String MATRIX = "self_attention.query_key_value.weight";

  /** The norm before it, of as many values as the matrix takes. */
  private static final String NORM = "input_layernorm.weight";

  private final Map<String, TensorInfo> tensors;

  private ParameterCount(Collection<TensorInfo> tensors) {
    this.tensors =
        tensors.stream()
            .collect(Collectors.toMap(TensorInfo::name, Function.identity(), (first, _) -> first));
  }

  /** The parameters of a model, all of whose tensors are given. */
  static long of(Collection<TensorInfo> tensors) {
    ParameterCount count = new ParameterCount(tensors);
    boolean halves = tensors.stream().anyMatch(count::isHalved);
    return tensors.stream()
        .filter(tensor -> !tensor.name().endsWith(COMPUTED) && !count.isScale(tensor.name()))
        .mapToLong(tensor -> halves && count.hasScales(tensor) ? 2 * tensor.size() : tensor.size())
        .sum();
  }

  private boolean isScale(String name) {
    return name.endsWith(SCALE)
        && tensors.containsKey(name.substring(0, name.length() - SCALE.length()));
  }

  private boolean hasScales(TensorInfo tensor) {
    return tensor.dtype() == DType.I8 && tensors.containsKey(tensor.name() + SCALE);
  }

  /**
   * Whether it is ChatGLM's matrix with two values in a byte: nothing but its shape says so, as 8
   * bits have the same type and scales.
   */
  private boolean isHalved(TensorInfo tensor) {
    if (!tensor.name().endsWith(MATRIX) || !hasScales(tensor) || tensor.shape().size() != 2) {
      return false;
    }
    String layer = tensor.name().substring(0, tensor.name().length() - MATRIX.length());
    TensorInfo norm = tensors.get(layer + NORM);
    return norm != null && 2 * tensor.shape().getLast() == norm.size();
  }
}
