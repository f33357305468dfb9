package io.github.kolors4j.benchmarks;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Float8Weight;
import io.github.kolors4j.tensor.Int4Weight;
import io.github.kolors4j.tensor.Int8Weight;
import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.UpdatedWeight;
import io.github.kolors4j.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How fast a weight becomes F32, from the cache and on one thread: the rows of a panel, a part at a
 * time as packers take them. Values a nanosecond.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class DecodeBenchmark {
  private static final int ROWS = 64;
  private static final int LENGTH = 1280;
  private static final int PART = 640;
  private static final int GROUP = 32;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** What the weight is. */
  @Param({"f16", "bf16", "int8-row", "int8-group", "int4", "f8", "f16+rank16", "f16+rank128"})
  public String kind;

  private final SplittableRandom random = new SplittableRandom(0);
  private final float[] target = new float[ROWS * PART];
  private ThreadPool pool;
  private Arena arena;
  private Weight weight;

  /** Makes the weight. */
  @SuppressWarnings("MustBeClosedChecker") // close() does
  @Setup
  public void make() {
    pool = new ThreadPool(1);
    arena = Arena.ofShared();
    Shape shape = Shape.of(ROWS, LENGTH);
    weight =
        switch (kind) {
          case "f16" -> new StoredWeight("w", shape, DType.F16, halves(ROWS * LENGTH));
          case "bf16" -> new StoredWeight("w", shape, DType.BF16, halves(ROWS * LENGTH));
          case "int8-row" -> Int8Weight.perRow("w", shape, bytes(ROWS * LENGTH), halves(ROWS));
          case "int8-group" ->
              Int8Weight.inGroups(
                  "w", shape, GROUP, bytes(ROWS * LENGTH), halves(ROWS * LENGTH / GROUP));
          case "int4" -> new Int4Weight("w", shape, bytes(ROWS * LENGTH / 2), halves(ROWS));
          case "f8" -> new Float8Weight("w", shape, bytes(ROWS * LENGTH));
          case "f16+rank16" -> adapted(shape, 16);
          case "f16+rank128" -> adapted(shape, 128);
          default -> throw new IllegalArgumentException(kind);
        };
  }

  private Weight adapted(Shape shape, int rank) {
    Weight base = new StoredWeight("w", shape, DType.F16, halves(ROWS * LENGTH));
    return new UpdatedWeight(base, new LowRank(rank, floats(rank * LENGTH), floats(ROWS * rank)));
  }

  private float[] floats(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble() * 0.02f;
    }
    return values;
  }

  /** Weights of some hundredths, or scales. */
  private MemorySegment halves(int count) {
    MemorySegment halves = arena.allocate(2L * count);
    for (int i = 0; i < count; i++) {
      halves.setAtIndex(SHORT, i, Float.floatToFloat16((float) (0.001 + random.nextDouble())));
    }
    return halves;
  }

  private MemorySegment bytes(int count) {
    MemorySegment bytes = arena.allocate(count);
    for (int i = 0; i < count; i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    return bytes;
  }

  /** Decodes all rows. */
  @Benchmark
  @OperationsPerInvocation(ROWS * LENGTH)
  public float decode() {
    pool.run(
        1,
        (_, scratch) -> {
          for (int from = 0; from < LENGTH; from += PART) {
            weight.decodeRows(0, ROWS, from, PART, target, 0, PART, scratch);
          }
        });
    return target[0];
  }

  /** Lets the memory go. */
  @TearDown
  public void close() {
    pool.close();
    arena.close();
  }
}
