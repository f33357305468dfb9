package io.github.kolors4j.tap;

import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes what the blocks of a model give in a forward pass, to find the first one that differs from
 * diffusers: a safetensors file a pass, with the outputs under diffusers' names of the modules, in
 * diffusers' order of the axes, beside the inputs of the pass. {@code fixtures/compare_taps.py}
 * reads it.
 *
 * <p>{@code -Dkolors4j.tap=DIR} taps every pass of the program; {@link #run} those of a piece of
 * work. Files are named after the component and counted from 1, as {@code unet-0001.safetensors};
 * those of an earlier run are replaced. A pass that fails leaves what it has come to.
 */
public final class Tap {
  private static final String PROPERTY = "kolors4j.tap";

  /** Read once. */
  private static final @Nullable Tap ALWAYS =
      System.getProperty(PROPERTY, "").isEmpty()
          ? null
          : into(Path.of(System.getProperty(PROPERTY)));

  private static final ScopedValue<Tap> HERE = ScopedValue.newInstance();

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path directory;
  private final Map<String, AtomicInteger> passes = new ConcurrentHashMap<>();

  private Tap(Path directory) {
    this.directory = directory;
  }

  /**
   * A tap that is not open yet.
   *
   * @param directory where the files go; made when the first one is written
   * @return the tap
   */
  public static Tap into(Path directory) {
    return new Tap(directory);
  }

  /**
   * Taps the models that a piece of work runs in this thread, as a request does.
   *
   * @param work what to do
   * @throws UncheckedIOException if a file cannot be written
   */
  public void run(Runnable work) {
    ScopedValue.where(HERE, this).run(work);
  }

  /**
   * Begins a forward pass of a model.
   *
   * @param component the model's folder in a checkpoint, as {@code unet}
   * @return what the pass is shown to, to be closed at its end; one that looks away where nobody
   *     taps
   */
  @SuppressWarnings("MustBeClosed") // the pass closes it
  public static Pass begin(String component) {
    Tap tap = HERE.isBound() ? HERE.get() : ALWAYS;
    return tap == null ? Pass.UNSEEN : new Pass(tap, component, Arena.ofConfined());
  }

  /**
   * Begins a look at what is computed once for many passes, which {@link Pass#after} adds to each.
   *
   * @param component the model's folder in a checkpoint, as {@code unet}
   * @return what to show it to, not to be closed
   */
  public static Pass prepare(String component) {
    Tap tap = HERE.isBound() ? HERE.get() : ALWAYS;
    return tap == null ? Pass.UNSEEN : new Pass(tap, component, Arena.ofAuto());
  }

  private Path file(String component) {
    int number = passes.computeIfAbsent(component, _ -> new AtomicInteger()).incrementAndGet();
    return directory.resolve(String.format(Locale.ROOT, "%s-%04d.safetensors", component, number));
  }

  /** One forward pass of a model, as far as it has come. */
  public static final class Pass implements AutoCloseable {
    private static final Pass UNSEEN = new Pass(null, "", null);

    private final @Nullable Tap tap;
    private final String component;
    private final @Nullable Arena arena;
    private final Map<String, TensorData> tensors = new LinkedHashMap<>();
    private final List<String> modules = new ArrayList<>();
    private final Map<String, String> notes = new LinkedHashMap<>();

    private Pass(@Nullable Tap tap, String component, @Nullable Arena arena) {
      this.tap = tap;
      this.component = component;
      this.arena = arena;
    }

    /**
     * Adds what was prepared for this pass.
     *
     * @param prepared what {@link Tap#prepare} began
     * @return this
     */
    public Pass after(Pass prepared) {
      if (tap != null) {
        tensors.putAll(prepared.tensors);
        modules.addAll(prepared.modules);
        notes.putAll(prepared.notes);
      }
      return this;
    }

    /**
     * An argument of the model.
     *
     * @param name as in diffusers
     * @param value feature maps {@code [n, h, w, c]}, or values of any other shape
     */
    public void input(String name, Tensor value) {
      if (tap != null) {
        tensors.put("input." + name, likeDiffusers(value));
      }
    }

    /**
     * An argument of the model.
     *
     * @param name as in diffusers
     * @param value a number
     */
    public void input(String name, float value) {
      if (tap != null) {
        tensors.put("input." + name, TensorData.f32(new float[] {value}, 1));
      }
    }

    /**
     * An argument of the model.
     *
     * @param name as in diffusers
     * @param rows {@code [n][k]}
     */
    public void input(String name, float[][] rows) {
      if (tap != null) {
        float[] flat = new float[rows.length * rows[0].length];
        for (int i = 0; i < flat.length; i++) {
          flat[i] = rows[i / rows[0].length][i % rows[0].length];
        }
        tensors.put("input." + name, TensorData.f32(flat, rows.length, rows[0].length));
      }
    }

    /**
     * An argument of the model.
     *
     * @param name as in diffusers
     * @param rows {@code [n][k]}
     */
    public void input(String name, int[][] rows) {
      if (tap != null) {
        long[] flat = Arrays.stream(rows).flatMapToLong(Pass::longs).toArray();
        tensors.put("input." + name, TensorData.i64(flat, rows.length, rows[0].length));
      }
    }

    private static LongStream longs(int[] row) {
      return Arrays.stream(row).asLongStream();
    }

    /**
     * What a module gives.
     *
     * @param module its name in diffusers, as {@code down_blocks.0}
     * @param value feature maps {@code [n, h, w, c]}, which are written as {@code [n, c, h, w]}, or
     *     values of any other shape, which are written as they are
     */
    public void output(String module, Tensor value) {
      if (tap != null) {
        modules.add(module);
        tensors.put(module, likeDiffusers(value));
      }
    }

    /**
     * What a module gives that counts tokens before texts.
     *
     * @param module its name in diffusers, as {@code encoder.layers.0}
     * @param value {@code [n, s, d]}, which is written as {@code [s, n, d]}
     */
    public void outputTokensFirst(String module, Tensor value) {
      if (tap != null) {
        modules.add(module);
        tensors.put(module, permuted(value, 1, 0, 2));
      }
    }

    /**
     * What else there is to know of the pass, where a comparison would need it.
     *
     * @param key what
     * @param value text
     */
    public void note(String key, String value) {
      if (tap != null) {
        notes.put(key, value);
      }
    }

    private TensorData likeDiffusers(Tensor value) {
      int rank = value.shape().rank();
      return rank == 4
          ? permuted(value, 0, 3, 1, 2)
          : permuted(value, IntStream.range(0, rank).toArray());
    }

    /** A copy with its axes in another order. */
    private TensorData permuted(Tensor value, int... axes) {
      int[] dims = value.shape().dims();
      int[] strides = new int[dims.length];
      for (int axis = dims.length - 1, stride = 1; axis >= 0; stride *= dims[axis--]) {
        strides[axis] = stride;
      }
      MemorySegment copy =
          Objects.requireNonNull(arena).allocate(Float.BYTES * (long) value.shape().size());
      copy(value.data(), new Walk(dims, strides, axes), 0, 0, copy, 0);
      return new TensorData(
          DType.F32, Arrays.stream(axes).mapToObj(axis -> (long) dims[axis]).toList(), copy);
    }

    /** Extents and strides of the axes, and the order in which to go along them. */
    private record Walk(int[] dims, int[] strides, int[] axes) {}

    /** Copies from {@code from} on along the axes from {@code depth} on; returns where it ends. */
    private static long copy(
        float[] values, Walk walk, int depth, int from, MemorySegment target, long to) {
      if (depth == walk.axes.length) {
        target.set(FLOAT, Float.BYTES * to, values[from]);
        return to + 1;
      }
      int axis = walk.axes[depth];
      long at = to;
      for (int i = 0; i < walk.dims[axis]; i++) {
        at = copy(values, walk, depth + 1, from + i * walk.strides[axis], target, at);
      }
      return at;
    }

    /**
     * Ends the pass and writes its file.
     *
     * @throws UncheckedIOException if it cannot be written
     */
    @Override
    public void close() {
      if (tap == null) {
        return;
      }
      notes.put("component", component);
      notes.put("modules", String.join(",", modules));
      try (Arena _ = Objects.requireNonNull(arena)) {
        Files.createDirectories(tap.directory);
        SafetensorsWriter.write(tap.file(component), notes, tensors);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
