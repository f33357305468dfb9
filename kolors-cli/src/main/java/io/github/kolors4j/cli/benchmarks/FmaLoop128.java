package io.github.kolors4j.cli.benchmarks;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Nothing but fused multiply-adds of 128 bits on registers. Twelve independent chains: an FMA takes
 * four cycles and two begin in each, so eight would do, and with their two factors twelve still fit
 * into the 16 registers of older CPUs.
 */
final class FmaLoop128 {
  // A species must be a constant of its class, hence a class for each width.
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_128;
  private static final int CHAINS = 12;

  private FmaLoop128() {}

  /** Writes to {@code out} what the loop computes and returns its floating-point operations. */
  static long run(int rounds, float[] factors, float[] out) {
    FloatVector x = FloatVector.broadcast(SPECIES, factors[0]);
    FloatVector y = FloatVector.broadcast(SPECIES, factors[1]);
    FloatVector c0 = FloatVector.broadcast(SPECIES, factors[0 + 2]);
    FloatVector c1 = FloatVector.broadcast(SPECIES, factors[1 + 2]);
    FloatVector c2 = FloatVector.broadcast(SPECIES, factors[2 + 2]);
    FloatVector c3 = FloatVector.broadcast(SPECIES, factors[3 + 2]);
    FloatVector c4 = FloatVector.broadcast(SPECIES, factors[4 + 2]);
    FloatVector c5 = FloatVector.broadcast(SPECIES, factors[5 + 2]);
    FloatVector c6 = FloatVector.broadcast(SPECIES, factors[6 + 2]);
    FloatVector c7 = FloatVector.broadcast(SPECIES, factors[7 + 2]);
    FloatVector c8 = FloatVector.broadcast(SPECIES, factors[8 + 2]);
    FloatVector c9 = FloatVector.broadcast(SPECIES, factors[9 + 2]);
    FloatVector c10 = FloatVector.broadcast(SPECIES, factors[10 + 2]);
    FloatVector c11 = FloatVector.broadcast(SPECIES, factors[11 + 2]);
    for (int i = 0; i < rounds; i++) {
      c0 = x.fma(y, c0);
      c1 = x.fma(y, c1);
      c2 = x.fma(y, c2);
      c3 = x.fma(y, c3);
      c4 = x.fma(y, c4);
      c5 = x.fma(y, c5);
      c6 = x.fma(y, c6);
      c7 = x.fma(y, c7);
      c8 = x.fma(y, c8);
      c9 = x.fma(y, c9);
      c10 = x.fma(y, c10);
      c11 = x.fma(y, c11);
    }
    FloatVector sum =
        c0.add(c1)
            .add(c2)
            .add(c3)
            .add(c4)
            .add(c5)
            .add(c6)
            .add(c7)
            .add(c8)
            .add(c9)
            .add(c10)
            .add(c11);
    out[0] = sum.lane(0);
    return 2L * rounds * CHAINS * SPECIES.length();
  }
}
