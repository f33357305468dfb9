package io.github.kolors4j.x86;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.kolors4j.x86.Assembler.Label;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** BF16 products by AVX512-BF16: twice as many a second as F32 has fused multiply-adds. */
final class Avx512Kernel extends X86Kernel {
  private static final int LANES = Avx512Product.LANES;
  private static final FunctionDescriptor MULTIPLY =
      FunctionDescriptor.ofVoid(
          ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  private final MethodHandle[] multiply = new MethodHandle[PANEL / LANES];
  private final MethodHandle spin;
  private final String slowness;

  /**
   * Makes the code.
   *
   * @param slowness why it is this kernel and not AMX, where the CPU has AMX; empty else
   * @throws UnsupportedOperationException if the system forbids it
   */
  Avx512Kernel(String slowness) {
    this.slowness = slowness;
    Assembler x86 = new Assembler();
    Label[] products = new Label[multiply.length];
    for (int i = 0; i < products.length; i++) {
      products[i] = new Avx512Product(i + 1).assemble(x86);
    }
    Label spinning = Avx512Product.assembleSpin(x86);
    MachineCode code = new MachineCode(x86);
    for (int i = 0; i < products.length; i++) {
      multiply[i] = code.function(products[i], MULTIPLY);
    }
    spin = code.function(spinning, FunctionDescriptor.ofVoid(JAVA_LONG));
  }

  @Override
  public String description() {
    return "AVX512-BF16";
  }

  @Override
  public String slowness() {
    return slowness;
  }

  @Override
  public int rows() {
    return Avx512Product.ROWS;
  }

  @Override
  public int columns() {
    return LANES;
  }

  @Override
  public double speedup() {
    return 2;
  }

  @Override
  public void multiply(Block block, Matrix a, Matrix b, Matrix c) {
    Extents extents = new Extents(block, 1, LANES);
    MemorySegment rows = extents.rows(a);
    MemorySegment panel = extents.panel(b);
    MemorySegment results = extents.results(c);
    long lastColumns = -1L >>> -extents.lastColumns();
    try {
      multiply[extents.vectors() - 1].invokeExact(
          rows,
          a.stride(),
          panel,
          results,
          c.stride(),
          (long) block.rows(),
          block.depth() / 2L,
          lastColumns);
    } catch (Throwable e) {
      throw Libc.unchecked(e);
    }
  }

  @Override
  public long multiplyInRegisters(long rounds) {
    try {
      spin.invokeExact(rounds);
    } catch (Throwable e) {
      throw Libc.unchecked(e);
    }
    return rounds * Avx512Product.SPIN_SUMS * LANES * 2 * 2;
  }
}
