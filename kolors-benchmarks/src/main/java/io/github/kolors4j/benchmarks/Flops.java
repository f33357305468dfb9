package io.github.kolors4j.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Nominal floating-point operations; a nanosecond's are GFLOP/s. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Flops {
  /** GFLOP/s, in the report. */
  public double gflops;
}
