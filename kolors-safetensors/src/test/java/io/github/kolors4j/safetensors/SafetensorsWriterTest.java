package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.SafetensorsWriter.Entry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  private static final long SEED = 20240706;

  @TempDir Path directory;

  @Test
  void everyDtypeIsReadBackAsWritten() throws IOException {
    var random = new Random(SEED);
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    for (DType dtype : DType.values()) {
      byte[] bytes = new byte[24 * dtype.bits() / Byte.SIZE];
      random.nextBytes(bytes);
      tensors.put(
          "t." + dtype, new TensorData(dtype, List.of(3L, 8L), MemorySegment.ofArray(bytes)));
    }
    var metadata = Map.of("图", "\"quoted\" \\ \n \u0001 😀", "z", "");
    Path path = directory.resolve("all.safetensors");
    SafetensorsWriter.write(path, metadata, tensors);
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(metadata, file.metadata());
      assertEquals(tensors.keySet(), file.names());
      for (var tensor : tensors.entrySet()) {
        TensorInfo info = file.find(tensor.getKey()).orElseThrow();
        assertEquals(tensor.getValue().dtype(), info.dtype());
        assertEquals(tensor.getValue().shape(), info.shape());
        int bytes = Math.max(1, info.dtype().bits() / Byte.SIZE);
        assertEquals(0, info.offset() % bytes, info + " is not aligned");
        assertEquals(-1, tensor.getValue().data().mismatch(file.data(tensor.getKey())));
      }
    }
  }

  @Test
  void aLinkIsWrittenThroughAlsoToAFileThatIsNotThereYet() throws IOException {
    Path target = directory.resolve("target");
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("target"));
    for (float value : new float[] {1, 2}) {
      SafetensorsWriter.write(link, Map.of(), Map.of("a", TensorData.f32(new float[] {value}, 1)));
      assertTrue(Files.isSymbolicLink(link));
      try (var file = SafetensorsFile.open(target)) {
        assertEquals(value, file.data("a").get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
      }
    }
    Path circle = Files.createSymbolicLink(directory.resolve("circle"), Path.of("circle"));
    assertThrows(
        SafetensorsException.class, () -> SafetensorsWriter.write(circle, Map.of(), Map.of()));
  }

  /** Its place would be taken by a file. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aDeviceIsNotReplaced() {
    Path device = Path.of("/dev/full");
    SafetensorsException e =
        assertThrows(
            SafetensorsException.class, () -> SafetensorsWriter.write(device, Map.of(), Map.of()));
    assertTrue(e.getMessage().contains("/dev/full"), e.getMessage());
    assertTrue(e.getMessage().contains("device"), e.getMessage());
  }

  @Test
  void valuesMustFillWholeBytes() {
    assertThrows(IllegalArgumentException.class, () -> new Entry("a", DType.F4, List.of(3L)));
    assertEquals(3, new Entry("a", DType.F6_E2M3, List.of(4L)).byteLength());
  }

  @Test
  void floatsAndLongsAreWrittenAsGiven() throws IOException {
    Path path = directory.resolve("small.safetensors");
    float[] floats = {1.5f, -0f, Float.MIN_VALUE, Float.NaN, Float.NEGATIVE_INFINITY, 3e38f};
    long[] longs = {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE};
    SafetensorsWriter.write(
        path, Map.of(), Map.of("f", TensorData.f32(floats, 2, 3), "l", TensorData.i64(longs, 4)));
    try (var file = SafetensorsFile.open(path)) {
      assertArrayEquals(floats, file.data("f").toArray(RawFile.F32));
      var layout = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
      assertArrayEquals(longs, file.data("l").toArray(layout));
      assertEquals(List.of(2L, 3L), file.find("f").orElseThrow().shape());
      assertEquals(Map.of(), file.metadata());
    }
  }

  @Test
  void theHeaderIsPaddedWithSpacesToAMultipleOfEight() throws IOException {
    for (int length = 1; length <= 9; length++) {
      Path path = directory.resolve("p" + length);
      SafetensorsWriter.write(
          path, Map.of(), Map.of("n".repeat(length), TensorData.f32(new float[] {1})));
      byte[] bytes = Files.readAllBytes(path);
      long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
      assertEquals(0, header % 8);
      assertEquals(8 + header + 4, bytes.length);
      assertTrue(bytes[7 + (int) header] == ' ' || bytes[7 + (int) header] == '}');
      SafetensorsFile.open(path).close();
    }
  }

  @Test
  void scalarsAndEmptyTensorsAndNoTensorsAtAllAreWritten() throws IOException {
    Path path = directory.resolve("e");
    var entries =
        List.of(
            new Entry("empty", DType.F64, List.of(0L, 3L)),
            new Entry("scalar", DType.F32, List.of()),
            new Entry("none", DType.U8, List.of(0L)));
    try (var writer = SafetensorsWriter.create(path, entries, Map.of())) {
      writer.write("scalar", new float[] {-2.25f});
    }
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(0, file.data("empty").byteSize());
      assertEquals(0, file.data("none").byteSize());
      assertEquals(-2.25f, file.data("scalar").get(RawFile.F32, 0));
    }
    SafetensorsWriter.create(path, List.of(), Map.of("k", "v")).close();
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(Map.of("k", "v"), file.metadata());
    }
  }

  @Test
  void piecesOfAnyKindAndOrderMakeTheTensor() throws IOException {
    Path path = directory.resolve("pieces");
    int size = 700_000; // more than the staging buffer
    float[] values = new float[size];
    var random = new Random(SEED);
    for (int i = 0; i < size; i++) {
      values[i] = random.nextFloat();
    }
    var entries =
        List.of(
            new Entry("bytes", DType.U8, List.of(5L)),
            new Entry("floats", DType.F32, List.of((long) size)),
            new Entry("copy", DType.F32, List.of((long) size)));
    try (var writer = SafetensorsWriter.create(path, entries, Map.of());
        var arena = Arena.ofConfined()) {
      MemorySegment off = arena.allocateFrom(RawFile.F32, values);
      writer.write("bytes", ByteBuffer.wrap(new byte[] {9, 1, 2, 9}, 1, 2));
      writer.write("copy", off.asSlice(0, 3));
      writer.write("floats", values, 0, 600_001);
      ByteBuffer direct = ByteBuffer.allocateDirect(3).put(0, new byte[] {3, 4, 5});
      writer.write("bytes", direct);
      assertFalse(direct.hasRemaining());
      writer.write("floats", values, 600_001, size - 600_001);
      writer.write("copy", off.asSlice(3));
    }
    try (var file = SafetensorsFile.open(path)) {
      assertArrayEquals(values, file.data("floats").toArray(RawFile.F32));
      assertArrayEquals(values, file.data("copy").toArray(RawFile.F32));
      assertArrayEquals(
          new byte[] {1, 2, 3, 4, 5}, file.data("bytes").toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void anOpenFileCanBeRewrittenFromItself() throws IOException {
    Path path = RawFile.tensor(directory.resolve("x"), "a", 2);
    var entries = List.of(new Entry("b", DType.U8, List.of(8L)));
    try (var old = SafetensorsFile.open(path)) {
      try (var writer = SafetensorsWriter.create(path, entries, Map.of())) {
        writer.write("b", old.data("a"));
      }
      assertEquals(0x03020100, old.data("a").get(ValueLayout.JAVA_INT_UNALIGNED, 0));
    }
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(8, file.data("b").byteSize());
    }
  }

  @Test
  void equalDeclarationsGiveEqualBytes() throws IOException {
    Map<String, String> forward = new LinkedHashMap<>();
    Map<String, String> backward = new LinkedHashMap<>();
    for (int i = 0; i < 10; i++) {
      forward.put("k" + i, "v");
      backward.put("k" + (9 - i), "v");
    }
    var tensors = Map.of("a", TensorData.f32(new float[] {1, 2}, 2));
    SafetensorsWriter.write(directory.resolve("1"), forward, tensors);
    SafetensorsWriter.write(directory.resolve("2"), backward, tensors);
    assertEquals(-1, Files.mismatch(directory.resolve("1"), directory.resolve("2")));
  }

  // Nothing that looks finished

  @Test
  void theFileHasItsNameOnlyWhenItIsComplete() throws IOException {
    Path path = directory.resolve("x.safetensors");
    try (var writer = SafetensorsWriter.create(path, floats("a", 2), Map.of())) {
      assertFalse(Files.exists(path));
      writer.write("a", new float[] {1, 2});
      assertFalse(Files.exists(path));
      assertTrue(contents().getFirst().matches("\\.x\\.safetensors\\.[0-9a-f]+\\.tmp"));
    }
    assertEquals(List.of("x.safetensors"), contents());
  }

  @Test
  void aFileClosedTooEarlyLeavesWhatWasThereBefore() throws IOException {
    Path path = RawFile.tensor(directory.resolve("x"), "old", 1);
    var writer = SafetensorsWriter.create(path, floats("a", 300, 400), Map.of());
    writer.write("a", new float[300]);
    writer.write("a", new float[400], 0, 0);
    var e = assertThrows(IllegalStateException.class, writer::close);
    assertEquals(
        "[safetensors] "
            + path
            + ": closed too early: tensor \"a\" has 1,200 of its 480,000 bytes. Nothing is kept.",
        e.getMessage());
    assertEquals(List.of("x"), contents());
    SafetensorsFile.open(path).close();
    writer.close(); // no effect
  }

  @Test
  void theCallersOwnExceptionIsTheOneThatComesOut() throws IOException {
    Path path = directory.resolve("x");
    var e =
        assertThrows(
            ArithmeticException.class,
            () -> {
              try (var writer = SafetensorsWriter.create(path, floats("a", 2), Map.of())) {
                writer.write("a", new float[] {1});
                throw new ArithmeticException("the caller's");
              }
            });
    assertEquals(1, e.getSuppressed().length);
    assertEquals(List.of(), contents());
  }

  @Test
  void aFullDiskGivesTheFileUp() throws IOException {
    var writer = SafetensorsWriter.create(directory.resolve("x"), floats("a", 2), Map.of());
    Thread.currentThread().interrupt(); // closes the channel: the nearest to a failing disk
    var e = assertThrows(SafetensorsException.class, () -> writer.write("a", new float[2]));
    assertTrue(Thread.interrupted());
    assertTrue(e.getMessage().contains("x: cannot be written ("), e.getMessage());
    assertThrows(IllegalStateException.class, () -> writer.write("a", new float[2]));
    writer.close();
    assertEquals(List.of(), contents());
  }

  @Test
  void aDirectoryThatIsMissingAndATargetThatIsOneAreSaidSo() {
    Path orphan = directory.resolve("no/x");
    var e = assertThrows(SafetensorsException.class, () -> create(orphan, floats("a", 1)));
    assertEquals(
        "[safetensors] " + orphan + ": cannot be written: there is no directory for it.",
        e.getMessage());
    var d = assertThrows(SafetensorsException.class, () -> create(directory, floats("a", 1)));
    assertEquals(
        "[safetensors] " + directory + ": cannot be written: it is a directory.", d.getMessage());
  }

  // The caller's faults

  @Test
  void aPieceThatDoesNotFitIsRefusedAndWritesNothing() throws IOException {
    Path path = directory.resolve("x");
    try (var writer = SafetensorsWriter.create(path, floats("a", 2), Map.of())) {
      writer.write("a", new float[] {1});
      var e = assertThrows(IllegalArgumentException.class, () -> writer.write("a", new float[2]));
      assertEquals(
          "[safetensors] "
              + path
              + ": tensor \"a\" has 8 bytes, of which 4 are written: 8 more do not fit.",
          e.getMessage());
      writer.write("a", new float[] {2});
    }
    try (var file = SafetensorsFile.open(path)) {
      assertArrayEquals(new float[] {1, 2}, file.data("a").toArray(RawFile.F32));
    }
  }

  @Test
  void anUndeclaredTensorAndFloatsForAnotherTypeAreRefused() throws IOException {
    var entries = List.of(new Entry("h", DType.F16, List.of(0L)));
    try (var writer = SafetensorsWriter.create(directory.resolve("x"), entries, Map.of())) {
      assertThrows(IllegalArgumentException.class, () -> writer.write("b", new float[0]));
      assertThrows(IllegalArgumentException.class, () -> writer.write("h", new float[0]));
      assertThrows(IndexOutOfBoundsException.class, () -> writer.write("h", new float[2], 1, 2));
    }
  }

  @Test
  void writingAfterCloseIsRefused() throws IOException {
    var writer = SafetensorsWriter.create(directory.resolve("x"), floats("a", 0), Map.of());
    writer.close();
    assertThrows(IllegalStateException.class, () -> writer.write("a", new float[0]));
  }

  @Test
  void declarationsThatNoFileCanHoldAreRefusedBeforeAnythingIsWritten() throws IOException {
    Path path = directory.resolve("x");
    List<Entry> twice = new ArrayList<>(floats("a", 1));
    twice.addAll(floats("a", 1));
    assertThrows(IllegalArgumentException.class, () -> create(path, twice));
    assertThrows(IllegalArgumentException.class, () -> create(path, floats("\ud83d", 1)));
    long half = 1L << 60;
    List<Entry> huge = new ArrayList<>(floats("a", half));
    huge.addAll(floats("b", half));
    assertThrows(ArithmeticException.class, () -> create(path, huge));
    assertThrows(ArithmeticException.class, () -> floats("a", half, 2));
    assertThrows(IllegalArgumentException.class, () -> floats("a", -1));
    assertThrows(IllegalArgumentException.class, () -> floats("__metadata__", 1));
    assertThrows(IllegalArgumentException.class, () -> TensorData.f32(new float[3], 2));
    assertEquals(List.of(), contents());
  }

  private static void create(Path path, List<Entry> entries) throws IOException {
    SafetensorsWriter.create(path, entries, Map.of()).close();
  }

  private static List<Entry> floats(String name, long... shape) {
    return List.of(new Entry(name, DType.F32, LongStream.of(shape).boxed().toList()));
  }

  private List<String> contents() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
