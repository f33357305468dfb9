package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of {@code torch.save}, written here operation by operation. */
class PickleFileTest {
  @TempDir private Path folder;

  /** The length of a header may have the byte that a pickle begins with. */
  @Test
  void aSafetensorsFileIsNoneHoweverLongItsHeaderIs() throws IOException {
    Path file = folder.resolve("a");
    for (int length : new int[] {0x80, 0x280}) {
      String header = "{}" + " ".repeat(length - 2);
      ByteBuffer bytes = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putLong(length).put(header.getBytes(StandardCharsets.UTF_8));
      Files.write(file, bytes.array());
      assertFalse(PickleFile.isOne(file), "a header of " + length);
    }
    Files.write(file, new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10});
    assertTrue(PickleFile.isOne(file), "a pickle of PyTorch before 1.6");
  }

  /** A pickle that is being written. */
  private static final class Pickle {
    private final ByteArrayOutputStream code = new ByteArrayOutputStream();

    Pickle op(int... opcodes) {
      for (int opcode : opcodes) {
        code.write(opcode);
      }
      return this;
    }

    Pickle text(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      op('X', bytes.length, 0, 0, 0);
      code.writeBytes(bytes);
      return this;
    }

    Pickle global(String module, String name) {
      op('c');
      code.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
      return this;
    }

    /** A tensor over a storage, of two axes. */
    Pickle tensor(String type, String key, int offset, int[] shape, int[] strides) {
      global("torch._utils", "_rebuild_tensor_v2");
      op('(', '(').text("storage").global("torch", type).text(key).text("cpu").op('K', 6, 't', 'Q');
      op('K', offset);
      op('K', shape[0], 'K', shape[1], 0x86);
      op('K', strides[0], 'K', strides[1], 0x86);
      return op(0x89).global("collections", "OrderedDict").op(')', 'R', 't', 'R');
    }

    byte[] end() {
      return op('.').code.toByteArray();
    }

    static Pickle begin() {
      return new Pickle().op(0x80, 2);
    }
  }

  private Path file(byte[] pickle, float... storage) throws IOException {
    ByteBuffer values =
        ByteBuffer.allocate(storage.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    values.asFloatBuffer().put(storage);
    Path file = folder.resolve("a.bin");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      add(zip, "archive/data.pkl", pickle);
      add(zip, "archive/data/0", values.array());
    }
    return file;
  }

  private static void add(ZipOutputStream zip, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    CRC32 crc = new CRC32();
    crc.update(content);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  private static float[] floats(PickleFile file, String name) {
    return file.data(name)
        .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
  }

  private static byte[] twoTensors() {
    return Pickle.begin()
        .op('}', '(')
        .text("plain")
        .tensor("FloatStorage", "0", 0, new int[] {2, 3}, new int[] {3, 1})
        .text("inner")
        .op('}')
        .text("turned")
        .tensor("FloatStorage", "0", 1, new int[] {2, 2}, new int[] {1, 3})
        .op('s')
        .text("epoch")
        .op('K', 3)
        .op('u')
        .end();
  }

  @Test
  void tensorsAreNamedByTheirDictionariesAndPutInOrder() throws IOException {
    Path path = file(twoTensors(), 0, 1, 2, 3, 4, 5);
    assertTrue(PickleFile.isOne(path));
    try (PickleFile file = PickleFile.open(path)) {
      assertEquals(Set.of("plain", "inner.turned"), file.names());
      assertEquals(List.of(2L, 3L), file.find("plain").orElseThrow().shape());
      assertEquals(DType.F32, file.find("plain").orElseThrow().dtype());
      assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, floats(file, "plain"));
      assertArrayEquals(new float[] {1, 4, 2, 5}, floats(file, "inner.turned"));
      assertThrows(IllegalArgumentException.class, () -> file.data("other"));
      assertTrue(file.find("other").isEmpty());
    }
  }

  @Test
  void aClosedFileGivesNothing() throws IOException {
    PickleFile file = PickleFile.open(file(twoTensors(), 0, 1, 2, 3, 4, 5));
    file.close();
    file.close();
    assertThrows(IllegalStateException.class, () -> file.data("plain"));
  }

  @Test
  void aPickleThatCallsAnythingElseIsRefusedByItsName() throws IOException {
    Path path = file(Pickle.begin().global("os", "system").text("echo").op(0x85, 'R').end(), 0);
    assertEquals(
        "[pickle] "
            + path
            + ": its pickle names \"os.system\", which makes no tensor and is not run. Convert the"
            + " file to safetensors where you trust it.",
        assertThrows(SafetensorsException.class, () -> PickleFile.open(path)).getMessage());
  }

  @Test
  void aTensorOutsideOfItsStorageIsRefused() throws IOException {
    byte[] pickle =
        Pickle.begin()
            .op('}')
            .text("a")
            .tensor("FloatStorage", "0", 1, new int[] {2, 3}, new int[] {3, 1})
            .op('s')
            .end();
    Path path = file(pickle, 0, 1, 2, 3, 4, 5);
    assertEquals(
        "[pickle] " + path + ": a needs 28 bytes and its storage has 24.",
        assertThrows(SafetensorsException.class, () -> PickleFile.open(path)).getMessage());
  }

  /** An input of the long run: names out of a file came into messages as they were. */
  @Test
  void theNameOfATensorIsRepeatedOnOneLineAndNotWhole() throws IOException {
    byte[] pickle =
        Pickle.begin()
            .op('}')
            .text("a\n\u007f" + "b".repeat(250))
            .tensor("FloatStorage", "absent", 0, new int[] {1, 1}, new int[] {1, 1})
            .op('s')
            .end();
    Path path = file(pickle, 0);
    assertEquals(
        "[pickle] "
            + path
            + ": a??"
            + "b".repeat(197)
            + "… has no values in it. Incomplete download?",
        assertThrows(SafetensorsException.class, () -> PickleFile.open(path)).getMessage());
  }

  @Test
  void whatIsNoSuchFileIsOneSentence() throws IOException {
    Path legacy = Files.write(folder.resolve("legacy.bin"), new byte[] {(byte) 0x80, 2, 'l'});
    assertTrue(PickleFile.isOne(legacy));
    assertTrue(
        assertThrows(SafetensorsException.class, () -> PickleFile.open(legacy))
            .getMessage()
            .contains("is no file of torch.save since PyTorch 1.6"));
    Path text = Files.writeString(folder.resolve("text.bin"), "hello");
    assertFalse(PickleFile.isOne(text));
    assertFalse(PickleFile.isOne(folder.resolve("absent")));
  }

  /** As found by damaged files: the directory at the archive's end is whole then. */
  @Test
  void anArchiveThatIsDamagedWhereValuesBeginIsRefusedWhenItIsOpened() throws IOException {
    Path path = file(twoTensors(), 0, 1, 2, 3, 4, 5);
    byte[] bytes = Files.readAllBytes(path);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    bytes[text.indexOf("PK\3\4", text.indexOf("data.pkl"))] ^= 1;
    Files.write(path, bytes);
    assertEquals(
        "[pickle] " + path + ": is damaged where the values of a tensor should be. Load it again.",
        assertThrows(SafetensorsException.class, () -> PickleFile.open(path)).getMessage());
  }

  /** Whatever stands in the file, it is a tensor or one sentence. */
  @Test
  void aDamagedFileIsOneSentence() throws IOException {
    byte[] pickle = twoTensors();
    for (int length = 0; length < pickle.length; length++) {
      Path path = file(Arrays.copyOf(pickle, length), 0, 1, 2, 3, 4, 5);
      assertThrows(SafetensorsException.class, () -> PickleFile.open(path), "cut at " + length);
    }
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 1000; i++) {
      byte[] damaged = pickle.clone();
      for (int j = random.nextInt(1, 4); j > 0; j--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      Path path = file(damaged, 0, 1, 2, 3, 4, 5);
      try (PickleFile file = PickleFile.open(path)) {
        file.names().forEach(file::data);
      } catch (SafetensorsException e) {
        assertTrue(e.getMessage().startsWith("[pickle] " + path), e.getMessage());
      }
    }
  }
}
