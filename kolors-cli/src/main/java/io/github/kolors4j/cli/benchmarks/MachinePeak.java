package io.github.kolors4j.cli.benchmarks;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.ThreadPool;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * What the CPU could do at best: fused multiply-adds that touch nothing but registers. Measures for
 * kernels are shares of it.
 */
public final class MachinePeak {
  private static final String MODULE = "jdk.incubator.vector";
  private static final int WARMUPS = 3;
  private static final int RUNS = 7;
  private static final int LEAST_RUNS = 2;

  /** Of one run: some 0.1 s on a CPU of 2 GHz. */
  private static final int ROUNDS = 30_000_000;

  /**
   * Calls that a run is divided into: the collector waits for one of machine code, and one that
   * began before the loop was compiled would go on without.
   */
  private static final int PARTS = 100;

  private MachinePeak() {}

  /**
   * The vector widths that can be measured: those of the CPU from 256 bits on, or 128.
   *
   * @return bits, the narrowest first; nothing where the JVM runs without the Vector API
   */
  public static List<Integer> widths() {
    return ModuleLayer.boot().findModule(MODULE).isPresent() ? PeakProbe.widths() : List.of();
  }

  /**
   * Keeps every thread of a pool busy for a moment.
   *
   * @param bits one of {@link #widths}
   * @param threads the threads
   * @return floating-point operations, a fused multiply-add being two
   */
  public static long run(int bits, ThreadPool threads) {
    return run(() -> PeakProbe.run(bits, ROUNDS / PARTS), threads);
  }

  private static long run(LongSupplier part, ThreadPool threads) {
    AtomicLong operations = new AtomicLong();
    threads.run(
        threads.threads(),
        (_, _) -> {
          for (int i = 0; i < PARTS; i++) {
            operations.addAndGet(part.getAsLong());
          }
        });
    return operations.get();
  }

  /**
   * The best of several runs, as other processes can only slow one down.
   *
   * @param bits one of {@link #widths}
   * @param threads the threads
   * @param seconds how long to repeat it, after as long a time for warming up
   * @return operations per nanosecond, which is GFLOP/s
   */
  public static double gflops(int bits, ThreadPool threads, double seconds) {
    return gflops(() -> run(bits, threads), seconds);
  }

  /**
   * The best of several runs of another precision's instruction.
   *
   * @param kernel what multiplies
   * @param threads the threads
   * @param seconds how long to repeat it, after as long a time for warming up
   * @return operations per nanosecond, which is GFLOP/s
   */
  public static double gflops(Bf16Kernel kernel, ThreadPool threads, double seconds) {
    return gflops(
        () -> run(() -> kernel.multiplyInRegisters(ROUNDS / 10 / PARTS), threads), seconds);
  }

  private static double gflops(LongSupplier run, double seconds) {
    best(run, WARMUPS, seconds);
    return best(run, RUNS, seconds);
  }

  /**
   * Of several runs, fewer where the time is over before; two at least, as one may be disturbed.
   */
  private static double best(LongSupplier run, int runs, double seconds) {
    long start = System.nanoTime();
    double best = 0;
    for (int i = 0;
        i < runs && (i < LEAST_RUNS || System.nanoTime() - start < seconds * 1e9);
        i++) {
      long begin = System.nanoTime();
      long operations = run.getAsLong();
      best = Math.max(best, (double) operations / (System.nanoTime() - begin));
    }
    return best;
  }
}
