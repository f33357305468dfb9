package io.github.kolors4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector species of this JVM, fixed when the class is loaded. They must be static finals: in an
 * instance field a species is no constant to C2, and every operation allocates. At most 512 bits:
 * the sums' virtual lanes fill one such vector.
 */
final class VectorWidth {
  static final VectorShape SHAPE =
      RequestedWidth.bits()
          .map(VectorShape::forBitSize)
          .orElse(VectorShape.forBitSize(Math.min(512, Cpu.vectorBits())));
  static final VectorSpecies<Float> FLOATS = VectorSpecies.of(float.class, SHAPE);
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SHAPE);
  static final int LANES = FLOATS.length();

  /** As many bytes as a vector has floats, or twice as many where there are no vectors so short. */
  static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(
          byte.class, VectorShape.forBitSize(Math.max(64, FLOATS.vectorBitSize() / Float.BYTES)));

  private static final VectorSpecies<Long> LONGS = VectorSpecies.of(long.class, SHAPE);

  /**
   * Bytes of a vector. An int: where the place in a panel is {@code panel + k · VECTOR}, C2 loads B
   * before it needs it if the product is one of ints, and has broadcasts wait for B in registers if
   * it is one of longs: 0.90 and 0.39 of a core's peak for 5 × 2 (Zen 5, UseAVX=2).
   */
  static final int VECTOR = FLOATS.vectorByteSize();

  private VectorWidth() {}

  /** The vector that begins at an index. */
  static FloatVector load(float[] x, int at) {
    return FloatVector.fromArray(FLOATS, x, at);
  }

  /** The vector of a panel that begins at a byte. */
  static FloatVector load(MemorySegment panel, long at) {
    return FloatVector.fromMemorySegment(FLOATS, panel, at, ByteOrder.nativeOrder());
  }

  /** Writes a vector into a panel, from a byte on. */
  static void store(FloatVector v, MemorySegment panel, long at) {
    v.intoMemorySegment(panel, at, ByteOrder.nativeOrder());
  }

  /** Bytes of a file, as many as {@link #BYTES} has. */
  static ByteVector loadBytes(MemorySegment bytes, long at) {
    return ByteVector.fromMemorySegment(BYTES, bytes, at, ByteOrder.LITTLE_ENDIAN);
  }

  /** Bytes of a file without signs, each in a long; where a vector has eight longs. */
  static LongVector longs(MemorySegment bytes, long at) {
    return (LongVector)
        ByteVector.fromMemorySegment(ByteVector.SPECIES_64, bytes, at, ByteOrder.LITTLE_ENDIAN)
            .convertShape(VectorOperators.ZERO_EXTEND_B2L, LONGS, 0);
  }

  /** Whole numbers of a part of signed bytes. */
  static IntVector ints(ByteVector bytes, int part) {
    return (IntVector) bytes.convertShape(VectorOperators.B2I, INTS, part);
  }

  /** The vector of a part of signed bytes. */
  static FloatVector floats(ByteVector bytes, int part) {
    return (FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, part);
  }
}
