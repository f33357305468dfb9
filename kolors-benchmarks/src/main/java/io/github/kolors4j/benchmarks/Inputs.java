package io.github.kolors4j.benchmarks;

import io.github.kolors4j.tensor.DType;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Threads and memory of a benchmark, and random tensors: weights in F16, as a mapped file's are.
 */
@State(Scope.Benchmark)
public class Inputs {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Threads that compute; JMH's own are one. */
  @Param("2")
  public int threads;

  ThreadPool pool;
  Workspace workspace;
  private Arena arena;
  private final SplittableRandom random = new SplittableRandom(0);

  /** Starts the threads. */
  @SuppressWarnings("MustBeClosedChecker") // close() does
  @Setup
  public void open() {
    pool = new ThreadPool(threads);
    workspace = new Workspace(pool);
    arena = Arena.ofShared();
  }

  /** Ends the threads. */
  @TearDown
  public void close() {
    workspace.close();
    pool.close();
    arena.close();
  }

  Tensor activation(int... dims) {
    Tensor tensor = workspace.tensor(dims);
    for (int i = 0; i < tensor.shape().size(); i++) {
      tensor.data()[i] = (float) (random.nextDouble() * 2 - 1);
    }
    return tensor;
  }

  Weight weight(int... dims) {
    Shape shape = Shape.of(dims);
    MemorySegment data = arena.allocate((long) shape.size() * DType.F16.bytes());
    for (int i = 0; i < shape.size(); i++) {
      float value = (float) ((random.nextDouble() * 2 - 1) * 0.02);
      data.setAtIndex(SHORT, i, Float.floatToFloat16(value));
    }
    return new StoredWeight("weight", shape, DType.F16, data);
  }

  static int[] dims(String text) {
    return Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray();
  }
}
