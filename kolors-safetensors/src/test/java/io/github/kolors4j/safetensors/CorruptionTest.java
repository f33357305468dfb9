package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Broken files end in {@link SafetensorsException} or open as what they say, and in no other way.
 */
class CorruptionTest {
  private static final long SEED = 20240706;
  private static final int MUTATIONS = 5_000;

  @TempDir Path directory;

  @Test
  void aFileCutAtAnyByteIsRefused() throws Exception {
    byte[] whole = Files.readAllBytes(SafetensorsFileTest.fixture("dtypes.safetensors"));
    Path path = directory.resolve("cut");
    for (int size = 0; size < whole.length; size++) {
      Files.write(path, Arrays.copyOf(whole, size));
      assertThrows(SafetensorsException.class, () -> SafetensorsFile.open(path), size + " bytes");
    }
    Files.write(path, whole);
    SafetensorsFile.open(path).close();
  }

  @Test
  void aRandomlyChangedFileOpensOrIsRefused() throws Exception {
    byte[] whole = Files.readAllBytes(SafetensorsFileTest.fixture("dtypes.safetensors"));
    assertTimeoutPreemptively(Duration.ofMinutes(2), () -> assertMutationsAreHandled(whole));
  }

  private void assertMutationsAreHandled(byte[] whole) throws IOException {
    var random = new Random(SEED);
    int opened = 0;
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Path path = Files.write(directory.resolve("mutated"), mutated(whole, random));
      try (var file = SafetensorsFile.open(path)) {
        readEveryByte(file);
        opened++;
      } catch (SafetensorsException e) {
        assertTrue(e.getMessage().startsWith("[safetensors] " + path + ": "), e.getMessage());
        assertTrue(!e.getMessage().contains("\n"), e.getMessage());
        refused++;
      }
    }
    // Changed data is not a fault that the format can show; most changes hit the header.
    assertTrue(opened > MUTATIONS / 20, opened + " opened");
    assertTrue(refused > MUTATIONS / 4, refused + " refused");
  }

  /** Some bytes replaced, a digit or a mark of JSON put somewhere, a part doubled or cut out. */
  private static byte[] mutated(byte[] whole, Random random) {
    byte[] bytes = whole.clone();
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(5)) {
      case 0 -> bytes[at] = (byte) random.nextInt(256);
      case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 2 -> bytes[at] = (byte) "0123456789[]{}:,\"\\ -.eE".charAt(random.nextInt(23));
      case 3 -> bytes[random.nextInt(8)] = (byte) random.nextInt(256); // the header's length
      default -> {
        int from = random.nextInt(bytes.length);
        int count = Math.min(random.nextInt(64), bytes.length - Math.max(at, from));
        System.arraycopy(whole, from, bytes, at, count);
      }
    }
    return random.nextInt(8) == 0 ? Arrays.copyOf(bytes, random.nextInt(2 * bytes.length)) : bytes;
  }

  private static void readEveryByte(TensorSource source) {
    for (String name : source.names()) {
      TensorInfo tensor = source.find(name).orElseThrow();
      assertEquals(tensor.byteLength() * Byte.SIZE, tensor.size() * tensor.dtype().bits());
      byte[] bytes = source.data(name).toArray(ValueLayout.JAVA_BYTE);
      assertEquals(tensor.byteLength(), bytes.length);
    }
  }
}
