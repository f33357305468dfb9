package io.github.kolors4j.cli.benchmarks;

import java.util.List;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;

/** The register-only loops of {@link MachinePeak}, in a class that needs the Vector API. */
final class PeakProbe {
  private static final int CHAINS = 12;

  private PeakProbe() {}

  /**
   * Vector widths that this CPU has.
   *
   * @return bits, the narrowest first: 256 and 512 where there are wider ones than 128
   */
  static List<Integer> widths() {
    int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    return widest < 256
        ? List.of(128)
        : Stream.of(256, 512).filter(bits -> bits <= widest).toList();
  }

  /**
   * Runs a loop on the calling thread.
   *
   * @param bits one of {@link #widths}
   * @param rounds how long
   * @return floating-point operations, a fused multiply-add being two
   */
  static long run(int bits, int rounds) {
    float[] factors = new float[2 + CHAINS];
    factors[0] = 1e-3f;
    factors[1] = 1e-3f;
    float[] out = new float[1];
    return switch (bits) {
      case 128 -> FmaLoop128.run(rounds, factors, out);
      case 256 -> FmaLoop256.run(rounds, factors, out);
      case 512 -> FmaLoop512.run(rounds, factors, out);
      default -> throw new IllegalArgumentException("[peak] no loop of " + bits + " bits.");
    };
  }
}
