package io.github.kolors4j.tensor.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What JVMs that are not at hand would say of themselves; others run in {@link ForkedJvmTest}. */
class JvmTest {
  private static final String HOTSPOT = "OpenJDK 64-Bit Server VM";
  private static final String MIXED = "mixed mode, sharing";

  private static Jvm jvm(String name, String info, Map<String, String> flags) {
    return new Jvm(name, info, flag -> Optional.ofNullable(flags.get(flag)));
  }

  private static void assertSlow(String reason, boolean vectors, Jvm jvm) {
    Jvm.Slowness slow = jvm.slowVectors().orElseThrow();
    assertTrue(slow.reason().contains(reason), slow.reason());
    assertEquals(vectors, slow.vectors());
  }

  @Test
  void hotSpotWithC2IsFastWhetherItsFlagsCanBeReadOrNot() {
    Map<String, String> usual = Map.of("UseCompiler", "true", "TieredStopAtLevel", "4");
    assertEquals(Optional.empty(), jvm(HOTSPOT, MIXED, usual).slowVectors());
    assertEquals(Optional.empty(), jvm(HOTSPOT, MIXED, Map.of()).slowVectors());
    assertEquals(
        Optional.empty(), jvm("Java HotSpot(TM) 64-Bit Server VM", "", Map.of()).slowVectors());
  }

  @Test
  void anotherJvmRunsTheScalarKernels() {
    assertSlow("Eclipse OpenJ9 VM is not HotSpot", false, jvm("Eclipse OpenJ9 VM", "", Map.of()));
  }

  @Test
  void aJvmciCompilerKeepsTheVectorKernels() {
    assertSlow("JVMCI", true, jvm(HOTSPOT, MIXED, Map.of("UseJVMCICompiler", "true")));
  }

  @Test
  void everyLevelBelowC2sIsC1Alone() {
    for (String level : new String[] {"1", "2", "3"}) {
      assertSlow("C1 alone", false, jvm(HOTSPOT, MIXED, Map.of("TieredStopAtLevel", level)));
    }
    assertSlow("C1 alone", false, jvm(HOTSPOT, "mixed mode, emulated-client", Map.of()));
  }
}
