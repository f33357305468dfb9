package io.github.kolors4j.tensor.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sizes of caches as Linux tells them, and what holds where it does not. */
class CpuTest {
  @TempDir private Path caches;

  private void cache(int index, String level, String type, String size) throws IOException {
    Path cache = Files.createDirectory(caches.resolve("index" + index));
    Files.writeString(cache.resolve("level"), level + "\n");
    Files.writeString(cache.resolve("type"), type + "\n");
    Files.writeString(cache.resolve("size"), size + "\n");
  }

  @Test
  void theDataCachesOfACoreAreReadByLevel() throws IOException {
    cache(0, "1", "Instruction", "64K");
    cache(1, "1", "Data", "48K");
    cache(2, "2", "Unified", "2048K");
    cache(3, "3", "Unified", "260M");
    assertEquals(OptionalInt.of(48 << 10), Cpu.cache(caches, 1));
    assertEquals(OptionalInt.of(2 << 20), Cpu.cache(caches, 2));
    assertEquals(OptionalInt.of(260 << 20), Cpu.cache(caches, 3));
    assertEquals(OptionalInt.empty(), Cpu.cache(caches, 4));
  }

  @Test
  void whatCannotBeReadIsNotKnown() throws IOException {
    assertEquals(OptionalInt.empty(), Cpu.cache(caches, 1));
    assertEquals(OptionalInt.empty(), Cpu.cache(caches.resolve("nothing"), 1));
    cache(0, "1", "Data", "");
    cache(1, "2", "Unified", "-1");
    cache(2, "3", "Unified", "9999999M");
    for (int level = 1; level <= 3; level++) {
      assertEquals(OptionalInt.empty(), Cpu.cache(caches, level));
    }
    Files.delete(caches.resolve("index0").resolve("size"));
    assertEquals(OptionalInt.empty(), Cpu.cache(caches, 2));
  }

  @Test
  void thisCpuHasCachesOfSomeSize() {
    assertTrue(Cpu.l1Bytes() >= 8 << 10 && Cpu.l1Bytes() <= 1 << 20, "L1 " + Cpu.l1Bytes());
    assertTrue(Cpu.l2Bytes() >= 64 << 10, "L2 " + Cpu.l2Bytes());
  }
}
