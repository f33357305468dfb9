package io.github.kolors4j.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.x86.CpuFeatures.Leaf;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

@SuppressWarnings("restricted") // addresses where nothing is
class X86ProviderTest {
  private static final long ALL_STATES = 0b11L << 17 | 0b1110_0111;
  private static final Leaf OSXSAVE = new Leaf(0, 0, 1 << 27, 0);
  private static final Leaf VECTORS = new Leaf(1, 1 << 16 | 1 << 30 | 1 << 8, 0, 0);
  private static final Leaf VECTORS_AND_TILES =
      new Leaf(1, 1 << 16 | 1 << 30 | 1 << 8, 0, 1 << 22 | 1 << 24);
  private static final Leaf BF16 = new Leaf(1 << 5, 0, 0, 0);

  /** What Linux says about the same CPU. */
  @Test
  void theCpuHasWhatTheSystemSays() throws IOException {
    Path file = Path.of("/proc/cpuinfo");
    assumeTrue(Files.isReadable(file) && System.getProperty("os.arch").equals("amd64"));
    String flags =
        Files.readString(file)
                .lines()
                .filter(line -> line.startsWith("flags"))
                .findFirst()
                .orElse("")
            + " ";
    CpuFeatures features = CpuFeatures.ofThisCpu();
    assertEquals(flags.contains(" avx512_bf16 "), features.hasAvx512Bf16());
    assertEquals(flags.contains(" amx_bf16 "), features.hasAmxBf16());
  }

  @Test
  void instructionsWithoutTheSystemsSupportAreNone() {
    assertTrue(new CpuFeatures(OSXSAVE, VECTORS, BF16, ALL_STATES).hasAvx512Bf16());
    assertTrue(new CpuFeatures(OSXSAVE, VECTORS_AND_TILES, BF16, ALL_STATES).hasAmxBf16());
    long withoutUpperRegisters = ALL_STATES & ~(1L << 7);
    assertFalse(new CpuFeatures(OSXSAVE, VECTORS, BF16, withoutUpperRegisters).hasAvx512Bf16());
    long withoutTileData = ALL_STATES & ~(1L << 18);
    assertFalse(new CpuFeatures(OSXSAVE, VECTORS_AND_TILES, BF16, withoutTileData).hasAmxBf16());
    assertFalse(new CpuFeatures(OSXSAVE, VECTORS, BF16, ALL_STATES).hasAmxBf16());
    assertFalse(new CpuFeatures(OSXSAVE, VECTORS, Leaf.NONE, ALL_STATES).hasAvx512Bf16());
    assertFalse(new CpuFeatures(OSXSAVE, Leaf.NONE, BF16, ALL_STATES).hasAvx512Bf16());
  }

  /** What an older Linux says, and what this one says where the CPU has none. */
  @Test
  void tilesThatTheSystemKeepsBackAreMissedWithItsReason() {
    assumeTrue(CpuFeatures.ofThisCpu().hasAvx512Bf16(), "this CPU has no AVX512-BF16");
    CpuFeatures withoutTiles = new CpuFeatures(OSXSAVE, VECTORS, BF16, ALL_STATES);
    assertEquals("", X86Provider.make(withoutTiles).slowness());
    long withoutTileData = ALL_STATES & ~(1L << 18);
    CpuFeatures old = new CpuFeatures(OSXSAVE, VECTORS_AND_TILES, BF16, withoutTileData);
    assertTrue(X86Provider.make(old).slowness().contains("does not keep its registers"));
    if (!CpuFeatures.ofThisCpu().hasAmxBf16()) {
      CpuFeatures pretended = new CpuFeatures(OSXSAVE, VECTORS_AND_TILES, BF16, ALL_STATES);
      String slowness = X86Provider.make(pretended).slowness();
      assertTrue(slowness.contains("does not let this process use AMX (errno "), slowness);
    }
  }

  @Test
  void aSystemThatForbidsExecutableMemoryIsNamed() {
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    // Where no page is, none becomes executable.
    MemorySegment nowhere = MemorySegment.ofAddress(4096).reinterpret(4096);
    var refused =
        assertThrows(UnsupportedOperationException.class, () -> Libc.makeExecutable(nowhere));
    assertEquals("the system forbids executable memory (errno 12).", refused.getMessage());
    assertThrows(UnsupportedOperationException.class, () -> Libc.map(Long.MAX_VALUE));
  }

  /** The program that a JVM without permission runs. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) {
      System.out.println("computes in " + Products.of(Precision.BF16).precision());
    }
  }

  @Test
  void withoutThePermissionALineSaysSoAndF32IsUsed() throws IOException, InterruptedException {
    String output = probe();
    assertTrue(output.contains("computes in f32"), output);
    assertEquals(
        1,
        output.lines().filter(line -> line.contains("[precision] bf16 is not to be had")).count(),
        output);
    assertTrue(output.contains("--enable-native-access=ALL-UNNAMED"), output);
    assertFalse(output.contains("restricted method"), output);
  }

  @Test
  void withThePermissionTheCpuDecides() throws IOException, InterruptedException {
    String output = probe("--enable-native-access=ALL-UNNAMED");
    boolean has = CpuFeatures.ofThisCpu().hasAvx512Bf16();
    assertTrue(output.contains("computes in " + (has ? "bf16" : "f32")), output);
  }

  private static String probe(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    command.addAll(List.of("-cp", path, Probe.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }
}
