package io.github.kolors4j.adapter;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** The tensors of one module in an adapter's file, and the update that they make. */
final class AdapterModule {
  /** Of a message about it, which has names out of the file in it. */
  private static final int LONGEST_FAULT = 600;

  private final String name;
  private final TensorSource file;
  private final Map<Role, TensorInfo> tensors = new EnumMap<>(Role.class);

  AdapterModule(String name, TensorSource file) {
    this.name = name;
    this.file = file;
  }

  void add(Role role, TensorInfo tensor) throws InvalidFileException {
    TensorInfo other = tensors.put(role, tensor);
    if (other != null) {
      throw fault("%s and %s are the same thing twice.".formatted(other.name(), tensor.name()));
    }
  }

  /**
   * The update.
   *
   * @param rule how strong it is where the module has no alpha of its own
   */
  Update update(ScaleRule rule) throws InvalidFileException {
    if (has(Role.DOWN) || has(Role.UP)) {
      Matrix up = matrix(Role.UP);
      Matrix stored = matrix(Role.DOWN);
      Matrix down = has(Role.MID) ? core(Role.MID, stored) : stored;
      return update(new Delta.Product(product(up, down)), stored.rows(), rule);
    }
    if (has(Role.HADA_W1_A) || has(Role.HADA_W2_A)) {
      LowRank first = factor(Role.HADA_W1_A, Role.HADA_W1_B, Role.HADA_T1);
      LowRank second = factor(Role.HADA_W2_A, Role.HADA_W2_B, Role.HADA_T2);
      if (first.rows() != second.rows() || first.rowLength() != second.rowLength()) {
        throw fault("its two factors are %s and %s.".formatted(first, second));
      }
      int rank = matrix(Role.HADA_W1_B).rows();
      return update(new Delta.Hadamard(first, second, 1), rank, rule);
    }
    if (has(Role.LOKR_W1) || has(Role.LOKR_W1_A)) {
      return kronecker(rule);
    }
    throw fault(
        "it has %s alone, which is no update. A file that was cut, or a dialect that is not known."
            .formatted(tensors.values().iterator().next().name()));
  }

  private Update kronecker(ScaleRule rule) throws InvalidFileException {
    Matrix first =
        has(Role.LOKR_W1)
            ? matrix(Role.LOKR_W1)
            : times(matrix(Role.LOKR_W1_A), matrix(Role.LOKR_W1_B));
    Matrix second;
    if (has(Role.LOKR_W2)) {
      second = matrix(Role.LOKR_W2);
    } else if (has(Role.LOKR_T2)) {
      Matrix rows = matrix(Role.LOKR_W2_A).transposed();
      second = times(rows, core(Role.LOKR_T2, matrix(Role.LOKR_W2_B)));
    } else {
      second = times(matrix(Role.LOKR_W2_A), matrix(Role.LOKR_W2_B));
    }
    Delta delta = new Delta.Kronecker(first, second, 1);
    if (has(Role.LOKR_W1) && has(Role.LOKR_W2)) {
      return update(delta, rule.scaleOfWhole(name)); // nothing has a rank that alpha could be of
    }
    int rank = matrix(has(Role.LOKR_W1) ? Role.LOKR_W2_B : Role.LOKR_W1_B).rows();
    return update(delta, rank, rule);
  }

  private Update update(Delta delta, int rank, ScaleRule rule) throws InvalidFileException {
    return update(
        delta,
        has(Role.ALPHA) ? matrix(Role.ALPHA).values()[0] / (double) rank : rule.scale(name, rank));
  }

  private Update update(Delta delta, double scale) throws InvalidFileException {
    if (!Double.isFinite(scale)) {
      throw fault("its alpha makes it %s times as strong.".formatted(scale));
    }
    return new Update(delta, scale, magnitude());
  }

  private Optional<Matrix> magnitude() throws InvalidFileException {
    if (has(Role.MAGNITUDE)) {
      float[] ofOutputs = matrix(Role.MAGNITUDE).values();
      return Optional.of(new Matrix(ofOutputs, ofOutputs.length, 1));
    }
    return has(Role.DORA_SCALE) ? Optional.of(matrix(Role.DORA_SCALE)) : Optional.empty();
  }

  /**
   * One factor of LoHa: {@code a [out, rank] · b}, or {@code aᵀ · core · b} where a is Tucker's.
   */
  private LowRank factor(Role a, Role b, Role core) throws InvalidFileException {
    return has(core)
        ? product(matrix(a).transposed(), core(core, matrix(b)))
        : product(matrix(a), matrix(b));
  }

  private LowRank product(Matrix up, Matrix down) throws InvalidFileException {
    checkFit(up, down);
    return new LowRank(down.rows(), down.values(), up.values());
  }

  private Matrix times(Matrix left, Matrix right) throws InvalidFileException {
    checkFit(left, right);
    return left.times(right);
  }

  private void checkFit(Matrix left, Matrix right) throws InvalidFileException {
    if (left.columns() != right.rows()) {
      throw fault("its two factors are %s and %s, which are of two ranks.".formatted(left, right));
    }
  }

  /**
   * A core of Tucker's decomposition, {@code [i, j, kh, kw]}, times {@code [j, c]}: {@code [i,
   * c·kh·kw]}.
   */
  private Matrix core(Role role, Matrix down) throws InvalidFileException {
    Matrix core = matrix(role);
    int kernel = core.columns() / Math.max(1, down.rows());
    if (kernel * down.rows() != core.columns() || kernel == 0) {
      throw fault("its core is %s and its A %s.".formatted(core, down));
    }
    int width = down.columns() * kernel;
    float[] product = new float[core.rows() * width];
    for (int i = 0; i < core.rows(); i++) {
      for (int j = 0; j < down.rows(); j++) {
        for (int c = 0; c < down.columns(); c++) {
          float factor = down.values()[j * down.columns() + c];
          for (int k = 0; k < kernel; k++) {
            int at = i * width + c * kernel + k;
            float value = core.values()[i * core.columns() + j * kernel + k];
            product[at] = Math.fma(value, factor, product[at]);
          }
        }
      }
    }
    return new Matrix(product, core.rows(), width);
  }

  private boolean has(Role role) {
    return tensors.containsKey(role);
  }

  private Matrix matrix(Role role) throws InvalidFileException {
    TensorInfo tensor = tensors.get(role);
    if (tensor == null) {
      throw fault("it has no %s. A file that was cut?".formatted(role.ending()));
    }
    DType dtype =
        switch (tensor.dtype()) {
          case F32 -> DType.F32;
          case F16 -> DType.F16;
          case BF16 -> DType.BF16;
          default ->
              throw fault(
                  "%s is stored as %s: an adapter is read in F32, F16 and BF16. Convert it."
                      .formatted(tensor.name(), tensor.dtype()));
        };
    if (tensor.size() == 0 || tensor.size() > Integer.MAX_VALUE) {
      throw fault("%s has the shape %s.".formatted(tensor.name(), tensor.shape()));
    }
    int size = (int) tensor.size();
    int rows = tensor.shape().isEmpty() ? 1 : Math.toIntExact(tensor.shape().getFirst());
    var stored = new StoredWeight(tensor.name(), Shape.of(size), dtype, file.data(tensor.name()));
    float[] values = stored.toFloats();
    for (int i = 0; i < size; i++) {
      if (!Float.isFinite(values[i])) {
        throw fault(
            "%s is %s at value %s: pictures would become black. Damaged, or a training that diverged?"
                .formatted(tensor.name(), values[i], i));
      }
    }
    return new Matrix(values, rows, size / rows);
  }

  private InvalidFileException fault(String what) {
    String said = ForeignText.oneLine("module %s: %s".formatted(name, what), LONGEST_FAULT);
    return new InvalidFileException("[adapter] %s: %s".formatted(file.path(), said));
  }
}
