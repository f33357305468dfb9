package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsFileTest {
  @TempDir Path directory;

  static Path fixture(String name) throws Exception {
    return Path.of(SafetensorsFileTest.class.getResource(name).toURI());
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      mode = EnumSource.Mode.EXCLUDE, // which PyTorch cannot write; HeaderTest has them
      names = {"C64", "F8_E8M0", "F8_E5M2FNUZ", "F8_E4M3FNUZ", "F6_E3M2", "F6_E2M3", "F4"})
  void everyDtypeHasTheBytesThatTheReferenceWrote(DType dtype) throws Exception {
    try (var file = SafetensorsFile.open(fixture("dtypes.safetensors"))) {
      TensorInfo tensor = file.find(dtype.name()).orElseThrow();
      assertEquals(dtype, tensor.dtype());
      assertEquals(List.of(3L, 5L), tensor.shape());
      assertEquals(15, tensor.size());
      assertEquals(15L * dtype.bits() / Byte.SIZE, tensor.byteLength());
      byte[] bytes = file.data(dtype.name()).toArray(ValueLayout.JAVA_BYTE);
      assertEquals(file.metadata().get("hex:" + dtype), HexFormat.of().formatHex(bytes));
    }
  }

  @Test
  void floatsOfTheReferenceAreReadAsTheyWereWritten() throws Exception {
    try (var file = SafetensorsFile.open(fixture("dtypes.safetensors"))) {
      assertEquals(1.5f, file.data("F32").get(RawFile.F32, 0));
      assertEquals(-2.25f, file.data("scalar").get(RawFile.F32, 0));
      MemorySegment odd = file.data("图 \"quoted\"\n");
      assertArrayEquals(new float[] {0, 1, 2, 3}, odd.toArray(RawFile.F32));
    }
  }

  @Test
  void aScalarHasOneValueAndAnEmptyTensorNone() throws Exception {
    try (var file = SafetensorsFile.open(fixture("dtypes.safetensors"))) {
      TensorInfo scalar = file.find("scalar").orElseThrow();
      assertEquals(List.of(), scalar.shape());
      assertEquals(1, scalar.size());
      TensorInfo empty = file.find("empty").orElseThrow();
      assertEquals(List.of(0L, 7L), empty.shape());
      assertEquals(0, empty.size());
      assertEquals(0, file.data("empty").byteSize());
    }
  }

  @Test
  void metadataAndPathAreThoseOfTheFile() throws Exception {
    Path path = fixture("dtypes.safetensors");
    try (var file = SafetensorsFile.open(path)) {
      assertEquals("20240706", file.metadata().get("seed"));
      assertEquals(path, file.path());
      assertEquals(18, file.names().size());
      assertTrue(file.toString().contains("18 tensors"), file.toString());
      assertThrows(UnsupportedOperationException.class, () -> file.metadata().clear());
      assertThrows(UnsupportedOperationException.class, () -> file.names().clear());
    }
  }

  @Test
  void aFileWithoutTensorsIsValid() throws IOException {
    try (var file = SafetensorsFile.open(RawFile.write(directory.resolve("e"), "{}", 0))) {
      assertEquals(Set.of(), file.names());
      assertEquals(Map.of(), file.metadata());
    }
  }

  @Test
  void namesAreInTheOrderOfTheDataWithEmptyTensorsInBetween() throws IOException {
    String header =
        """
        {"c":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},\
        "z":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]},\
        "b":{"shape":[0],"data_offsets":[2,2],"dtype":"F64"},\
        "a":{"data_offsets":[0,2],"dtype":"I16","shape":[]}}\040\040\040""";
    try (var file = SafetensorsFile.open(RawFile.write(directory.resolve("o"), header, 4))) {
      assertEquals(Set.of("a", "b", "c", "z"), file.names());
      List<String> order = new ArrayList<>(file.names());
      assertEquals("a", order.getFirst());
      assertEquals(List.of("b", "c", "z"), order.subList(1, 4));
      assertArrayEquals(new byte[] {2, 3}, file.data("c").toArray(ValueLayout.JAVA_BYTE));
      assertEquals(8 + header.length() + 2, file.find("c").orElseThrow().offset());
    }
  }

  @Test
  void dataIsReadOnly() throws IOException {
    try (var file = SafetensorsFile.open(RawFile.tensor(directory.resolve("r"), "a", 1))) {
      assertTrue(file.data("a").isReadOnly());
    }
  }

  @Test
  void dataThatIsNotAlignedCanBeRead() throws IOException {
    String header =
        """
        {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
        "b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}""";
    try (var file = SafetensorsFile.open(RawFile.write(directory.resolve("u"), header, 5))) {
      float expected = Float.intBitsToFloat(0x04030201);
      assertEquals(expected, file.data("b").get(RawFile.F32, 0));
    }
  }

  @Test
  void anUnknownTensorIsNamed() throws IOException {
    Path path = RawFile.tensor(directory.resolve("n"), "a", 1);
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(Optional.empty(), file.find("b"));
      var e = assertThrows(IllegalArgumentException.class, () -> file.data("b"));
      assertEquals(
          "[safetensors] " + path + ": there is no tensor \"b\" among its 1.", e.getMessage());
    }
  }

  @Test
  void dataIsRefusedAfterCloseAndSlicesAreDead() throws IOException {
    var file = SafetensorsFile.open(RawFile.tensor(directory.resolve("c"), "a", 1));
    MemorySegment slice = file.data("a");
    file.close();
    file.close();
    var e = assertThrows(IllegalStateException.class, () -> file.data("a"));
    assertTrue(e.getMessage().endsWith("c: is closed."), e.getMessage());
    assertThrows(IllegalStateException.class, () -> slice.get(RawFile.F32, 0));
    assertEquals(Set.of("a"), file.names());
    assertTrue(file.find("a").isPresent());
  }

  @Test
  void severalThreadsReadOneMapping() throws Exception {
    try (var file = SafetensorsFile.open(fixture("dtypes.safetensors"));
        var threads = Executors.newFixedThreadPool(4)) {
      byte[] expected = file.data("F64").toArray(ValueLayout.JAVA_BYTE);
      Callable<byte[]> read = () -> file.data("F64").toArray(ValueLayout.JAVA_BYTE);
      for (var result : threads.invokeAll(List.of(read, read, read, read))) {
        assertArrayEquals(expected, result.get());
      }
    }
  }

  @Test
  void aMissingFileADirectoryAndADanglingLinkAreSaidSo() throws IOException {
    Path missing = directory.resolve("missing.safetensors");
    assertFails(missing, missing + ": there is no such file.");
    assertFails(directory, directory + ": is a directory, not a file.");
    Path link = Files.createSymbolicLink(directory.resolve("link"), missing);
    assertFails(link, "is a link to a file that does not exist. Incomplete download?");
    assertFails(Path.of("/dev/null"), "is not a regular file.");
  }

  @Test
  void aLinkOutOfTheDirectoryIsFollowed() throws IOException {
    Path blobs = Files.createDirectory(directory.resolve("blobs"));
    Path snapshot = Files.createDirectory(directory.resolve("snapshot"));
    RawFile.tensor(blobs.resolve("abc"), "a", 2);
    Path link =
        Files.createSymbolicLink(
            snapshot.resolve("model.safetensors"), Path.of("..", "blobs", "abc"));
    try (var file = SafetensorsFile.open(link)) {
      assertEquals(8, file.data("a").byteSize());
    }
  }

  @Test
  void infoThatDoesNotFitTogetherIsRefused() {
    Path path = Path.of("x");
    assertThrows(
        IllegalArgumentException.class,
        () -> new TensorInfo("a", DType.F16, List.of(2L), 0, 3, path));
    assertThrows(
        IllegalArgumentException.class,
        () -> new TensorInfo("a", DType.F16, List.of(-2L), 0, -4, path));
    assertFalse(DType.find("F3").isPresent());
    assertFalse(DType.find("f32").isPresent());
  }

  private static void assertFails(Path path, String expected) {
    var e = assertThrows(SafetensorsException.class, () -> SafetensorsFile.open(path));
    assertTrue(e.getMessage().startsWith("[safetensors] "), e.getMessage());
    assertTrue(e.getMessage().endsWith(expected), e.getMessage());
  }

  @Test
  void aFileThatWasCutShortIsNamedAndOneThatWasReplacedIsWhole() throws Exception {
    Path path = directory.resolve("cut");
    Path other = directory.resolve("other");
    byte[] whole = Files.readAllBytes(fixture("dtypes.safetensors"));
    Files.write(path, whole);
    SafetensorsFile file = SafetensorsFile.open(path);
    try (file) {
      Thread.currentThread().interrupt();
      file.requireWhole();
      assertTrue(Thread.interrupted(), "an interrupt does not disturb it, nor it the interrupt");
      Files.write(path, new byte[7]); // truncates, and writes into the same file
      SafetensorsException cut = assertThrows(SafetensorsException.class, file::requireWhole);
      assertTrue(
          cut.getMessage()
              .startsWith(
                  "[safetensors] %s: has 7 bytes now, and had %,d when it was opened: it was cut"
                      .formatted(path, whole.length)),
          cut.getMessage());
      Files.write(path, whole);
      file.requireWhole();
      Files.move(Files.write(other, new byte[3]), path, StandardCopyOption.REPLACE_EXISTING);
      file.requireWhole();
    }
    assertThrows(IllegalStateException.class, file::requireWhole);
  }
}
