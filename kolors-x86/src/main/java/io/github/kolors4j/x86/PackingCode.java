package io.github.kolors4j.x86;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Bf16Kernel.Matrix;
import io.github.kolors4j.tensor.Bf16Kernel.Values;
import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.x86.Assembler.Label;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.Map;

/** The functions of {@link Packing} for all types and pieces, and their calls. */
final class PackingCode {
  private static final FunctionDescriptor PACK =
      FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
  private static final int COLUMNS = 16;

  private final Map<Packing, MethodHandle> rows = new HashMap<>();
  private final Map<Packing, MethodHandle> columns = new HashMap<>();
  private final Map<Packing, MethodHandle> pairs = new HashMap<>();

  PackingCode() {
    Assembler x86 = new Assembler();
    Map<Packing, Label> rowLabels = new HashMap<>();
    Map<Packing, Label> columnLabels = new HashMap<>();
    Map<Packing, Label> pairLabels = new HashMap<>();
    for (DType dtype : DType.values()) {
      for (int piece = 0; piece < Bf16Kernel.PIECES; piece++) {
        Packing packing = new Packing(dtype, piece);
        if (packing.isThere()) {
          rowLabels.put(packing, packing.assembleRows(x86));
          columnLabels.put(packing, packing.assembleColumns(x86));
        }
        if (dtype == DType.F32) {
          pairLabels.put(packing, packing.assemblePairs(x86));
        }
      }
    }
    MachineCode code = new MachineCode(x86);
    rowLabels.forEach((packing, label) -> rows.put(packing, code.function(label, PACK)));
    pairLabels.forEach((packing, label) -> pairs.put(packing, code.function(label, PACK)));
    columnLabels.forEach((packing, label) -> columns.put(packing, code.function(label, PACK)));
  }

  void packRows(Values values, int piece, Matrix to) {
    if (values.rows() == 0 || values.length() == 0) {
      return;
    }
    MemorySegment from = source(values, values.matrix(), values.rows());
    MemorySegment packed = Extents.part(to, values.rows(), (long) depth(values) * Bf16Kernel.BYTES);
    call(function(rows, values, piece), values, from, values.rows(), packed, to.stride());
  }

  void packColumns(Values values, int piece, Matrix panel) {
    if (values.rows() == 0 || values.length() == 0) {
      return;
    }
    MethodHandle function = function(columns, values, piece);
    long width = panel.stride() / (2 * Bf16Kernel.BYTES);
    if (values.rows() > width) {
      throw new IndexOutOfBoundsException(
          "[x86] %s columns into a panel of %s.".formatted(values.rows(), width));
    }
    for (int column = 0; column < width; column += COLUMNS) {
      int count = Math.clamp(values.rows() - column, 0, COLUMNS);
      Matrix to = panel.from((long) column * 2 * Bf16Kernel.BYTES);
      MemorySegment packed =
          Extents.part(to, depth(values) / 2, (long) COLUMNS * 2 * Bf16Kernel.BYTES);
      if (count == 0) {
        zero(to, depth(values) / 2);
      } else {
        Matrix from = values.matrix().from(column * values.matrix().stride());
        call(function, values, source(values, from, count), count, packed, to.stride());
      }
    }
  }

  void packPairs(Values values, int piece, Matrix panel) {
    if (values.rows() == 0 || values.length() == 0) {
      return;
    }
    MethodHandle function = function(pairs, values, piece);
    long width = 2L * values.length() * Bf16Kernel.BYTES;
    if (values.length() % COLUMNS != 0 || panel.stride() != width) {
      throw new IllegalArgumentException(
          "[x86] rows of %s values into a panel of %s bytes a pair: as wide, and a multiple of %s."
              .formatted(values.length(), panel.stride(), COLUMNS));
    }
    int depth = Math.ceilDiv(values.rows(), Bf16Kernel.STEP) * Bf16Kernel.STEP;
    MemorySegment packed = Extents.part(panel, depth / 2, width);
    MemorySegment from = source(values, values.matrix(), values.rows());
    call(function, values, from, values.rows(), packed, panel.stride());
  }

  private static void zero(Matrix to, int pairs) {
    for (int i = 0; i < pairs; i++) {
      to.data()
          .asSlice(to.offset() + i * to.stride(), COLUMNS * 2L * Bf16Kernel.BYTES)
          .fill((byte) 0);
    }
  }

  private static int depth(Values values) {
    return Math.ceilDiv(values.length(), Bf16Kernel.STEP) * Bf16Kernel.STEP;
  }

  private static MethodHandle function(
      Map<Packing, MethodHandle> functions, Values values, int piece) {
    MethodHandle function = functions.get(new Packing(values.dtype(), piece));
    if (function == null) {
      throw new IllegalArgumentException(
          "[x86] piece %s of %s: there is none.".formatted(piece, values.dtype()));
    }
    return function;
  }

  private static MemorySegment source(Values values, Matrix from, int rows) {
    return Extents.part(from, rows, (long) values.length() * values.dtype().bytes());
  }

  private static void call(
      MethodHandle function,
      Values values,
      MemorySegment from,
      int count,
      MemorySegment packed,
      long stride) {
    try {
      function.invokeExact(
          from, values.matrix().stride(), (long) count, (long) values.length(), packed, stride);
    } catch (Throwable e) {
      throw Libc.unchecked(e);
    }
  }
}
