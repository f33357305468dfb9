package io.github.kolors4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A stage as the real diffusers computed it: {@code weights.*}, {@code input.*} and {@code
 * output.*} in one file, the stage's config in its metadata. Feature maps are turned to
 * channels-last.
 */
public final class Fixture implements AutoCloseable {
  /** Both of the largest, or of the root mean square, of the reference. */
  public static final double MAX_DIFFERENCE = 1e-4;

  public static final double MAX_RELATIVE_RMS = 2e-5;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String name;
  private final SafetensorsFile file;

  private Fixture(String name, SafetensorsFile file) {
    this.name = name;
    this.file = file;
  }

  public static Fixture open(String name) throws IOException {
    return new Fixture(name, SafetensorsFile.open(path(name + ".safetensors")));
  }

  /** A file that is not among the resources. */
  public static Fixture at(Path file) throws IOException {
    return new Fixture(file.toString(), SafetensorsFile.open(file));
  }

  private static Path path(String resource) {
    try {
      return Path.of(Fixture.class.getResource("/" + resource).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  public JsonConfig config() throws InvalidFileException {
    return JsonConfig.parse(name, file.metadata().get("config"));
  }

  /** The weights under their own names. */
  public TensorSource source() {
    return new Below("weights.", file);
  }

  public Weights weights() {
    return Weights.of(name, source());
  }

  public String metadata(String key) {
    return file.metadata().get(key);
  }

  public boolean has(String key) {
    return file.find(key).isPresent();
  }

  /** A tensor; {@code [n, c, h, w]} of the file is {@code [n, h, w, c]} here. */
  public Tensor tensor(Workspace workspace, String key) {
    Shape shape = shape(key);
    return shape.rank() == 4
        ? workspace.copyOf(
            channelsLast(floats(key), shape),
            shape.dim(0),
            shape.dim(2),
            shape.dim(3),
            shape.dim(1))
        : workspace.copyOf(floats(key), shape.dims());
  }

  public float[] floats(String key) {
    return file.data(key).toArray(FLOAT);
  }

  public byte[] bytes(String key) {
    return file.data(key).toArray(ValueLayout.JAVA_BYTE);
  }

  /** The extents as they are in the file. */
  public int[] dims(String key) {
    return shape(key).dims();
  }

  public float[][] rows(String key) {
    float[] values = floats(key);
    int width = shape(key).dim(1);
    float[][] rows = new float[shape(key).dim(0)][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
    }
    return rows;
  }

  public int[][] integerRows(String key) {
    int width = shape(key).dim(1);
    int[][] rows = new int[shape(key).dim(0)][width];
    MemorySegment data = file.data(key);
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < width; j++) {
        rows[i][j] = (int) data.getAtIndex(LONG, (long) i * width + j);
      }
    }
    return rows;
  }

  public int integer(String key, int index) {
    return (int) file.data(key).getAtIndex(LONG, index);
  }

  /**
   * How far values are from the reference's.
   *
   * @param largest difference, over the largest value
   * @param rms root mean square of the differences, over that of the values
   */
  public record Difference(double largest, double rms) {}

  /** Fails where the tensor is further from the reference than the tolerances allow. */
  public void assertClose(String key, Tensor actual) {
    assertClose(key, actual, new Difference(MAX_DIFFERENCE, MAX_RELATIVE_RMS));
  }

  /** Fails where the tensor is further from the reference than a bound. */
  public void assertClose(String key, Tensor actual, Difference bound) {
    Shape shape = shape(key);
    float[] expected = floats(key);
    if (shape.rank() == 4) {
      expected = channelsLast(expected, shape);
      shape = Shape.of(shape.dim(0), shape.dim(2), shape.dim(3), shape.dim(1));
    }
    assertEquals(shape, actual.shape(), name + " " + key);
    Difference difference = difference(expected, actual.data());
    String measured =
        "%s %s: largest difference %.1e, relative RMS %.1e"
            .formatted(name, key, difference.largest, difference.rms);
    System.out.println(measured);
    assertTrue(difference.largest <= bound.largest && difference.rms <= bound.rms, measured);
  }

  private static Difference difference(float[] expected, float[] actual) {
    double largest = 0;
    double difference = 0;
    double squares = 0;
    double errorSquares = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs((double) actual[i] - expected[i]);
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, error);
      squares += (double) expected[i] * expected[i];
      errorSquares += error * error;
    }
    return new Difference(difference / largest, Math.sqrt(errorSquares / squares));
  }

  @Override
  public void close() {
    file.close();
  }

  private Shape shape(String key) {
    List<Long> dims = file.find(key).orElseThrow().shape();
    return Shape.of(dims.stream().mapToInt(Math::toIntExact).toArray());
  }

  private static float[] channelsLast(float[] values, Shape shape) {
    int c = shape.dim(1);
    int pixels = shape.dim(2) * shape.dim(3);
    float[] turned = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      int sample = i / (c * pixels);
      int channel = i / pixels % c;
      turned[(sample * pixels + i % pixels) * c + channel] = values[i];
    }
    return turned;
  }

  /** The tensors whose names begin with a prefix, without it. */
  private record Below(String prefix, TensorSource file) implements TensorSource {
    @Override
    public Set<String> names() {
      Set<String> names = new LinkedHashSet<>();
      for (String name : file.names()) {
        if (name.startsWith(prefix)) {
          names.add(name.substring(prefix.length()));
        }
      }
      return names;
    }

    @Override
    public Optional<TensorInfo> find(String name) {
      return file.find(prefix + name);
    }

    @Override
    public MemorySegment data(String name) {
      return file.data(prefix + name);
    }

    @Override
    public Map<String, String> metadata() {
      return file.metadata();
    }

    @Override
    public Path path() {
      return file.path();
    }

    @Override
    public void close() {
      file.close();
    }
  }

  /** A source of which some tensors are taken away or replaced by made-up ones of zeros. */
  public static TensorSource changed(
      TensorSource source, Set<String> without, TensorInfo... replaced) {
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    source.names().forEach(name -> tensors.put(name, source.find(name).orElseThrow()));
    tensors.keySet().removeAll(without);
    for (TensorInfo info : replaced) {
      tensors.put(info.name(), info);
    }
    return new Fake(tensors);
  }

  /** Tensors that are made up, without data behind them but for zeros. */
  public record Fake(Map<String, TensorInfo> tensors) implements TensorSource {
    public static TensorInfo info(String name, DType dtype, long... dims) {
      List<Long> shape = Arrays.stream(dims).boxed().toList();
      return new TensorInfo(name, dtype, shape, 0, dtype.byteLength(shape), Path.of("fake"));
    }

    @Override
    public Set<String> names() {
      return tensors.keySet();
    }

    @Override
    public Optional<TensorInfo> find(String name) {
      return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public MemorySegment data(String name) {
      return MemorySegment.ofArray(new byte[Math.toIntExact(tensors.get(name).byteLength())]);
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public Path path() {
      return Path.of("fake");
    }

    @Override
    public void close() {}
  }
}
