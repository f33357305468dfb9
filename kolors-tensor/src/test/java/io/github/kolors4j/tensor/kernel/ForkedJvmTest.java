package io.github.kolors4j.tensor.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

/** What a user of a JVM with other flags reads. */
@Tag("once")
class ForkedJvmTest {
  private static final String VECTORS = "--add-modules=jdk.incubator.vector";

  /** What a JVM printed, and how it ended. */
  private record Outcome(int exit, String out) {
    List<String> lines(String level) {
      return out.lines().filter(line -> line.contains(level + " io.github.kolors4j")).toList();
    }
  }

  private static Outcome java(String... flags) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(flags));
    command.add("-cp");
    command.add(
        String.join(
            java.io.File.pathSeparator,
            Path.of("target", "classes").toAbsolutePath().toString(),
            Path.of("target", "test-classes").toAbsolutePath().toString(),
            jar(Logger.class),
            jar(Class.forName("org.slf4j.simple.SimpleServiceProvider"))));
    command.add("io.github.kolors4j.tensor.kernel.Probe");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String out = read(process);
    return new Outcome(process.waitFor(), out);
  }

  private static String read(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static String jar(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  @Test
  void withoutTheVectorModuleTheScalarKernelsRunAndOneWarningNamesTheFlag() throws Exception {
    Outcome outcome = java();
    assertEquals(0, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("kernels=scalar sum=2.5"), outcome.out());
    assertEquals(1, outcome.lines("WARN").size(), outcome.out());
    assertTrue(
        outcome
            .lines("WARN")
            .getFirst()
            .endsWith(
                "[kernels] the JVM runs without the Vector API, so the scalar kernels are used, many"
                    + " times slower: start java with --add-modules jdk.incubator.vector"));
    assertEquals(1, outcome.lines("INFO").size(), outcome.out());
  }

  @Test
  void scalarKernelsThatWereAskedForAreNoReasonToWarn() throws Exception {
    Outcome outcome = java("-Dkolors4j.vector.bits=0");
    assertEquals(0, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("kernels=scalar sum=2.5"), outcome.out());
    assertEquals(List.of(), outcome.lines("WARN"));
  }

  @Test
  void withTheVectorModuleThereIsOneLineOfInformationAndNoWarning() throws Exception {
    Outcome outcome = java(VECTORS, "-Dkolors4j.vector.bits=256");
    assertEquals(0, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("kernels=vector 256-bit sum=2.5"), outcome.out());
    assertEquals(List.of(), outcome.lines("WARN"));
    assertEquals(1, outcome.lines("INFO").size(), outcome.out());
    assertTrue(outcome.lines("INFO").getFirst().contains("kernels: vector 256-bit, FMA"));
  }

  @Test
  void withoutFusedMultiplyAddResultsAreRightAndOneWarningSaysThatItIsSlow() throws Exception {
    Outcome outcome = java(VECTORS, "-XX:-UseFMA", "-Dkolors4j.vector.bits=128");
    assertEquals(0, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("kernels=vector 128-bit sum=2.5"), outcome.out());
    assertEquals(1, outcome.lines("WARN").size(), outcome.out());
    assertTrue(
        outcome.lines("WARN").getFirst().contains("have no fused multiply-add"), outcome.out());
    assertTrue(outcome.lines("INFO").getFirst().contains("128-bit, no FMA"), outcome.out());
  }

  @Test
  void anUnknownWidthEndsInTheSentenceWithItsValue() throws Exception {
    for (String bad : new String[] {"64", "1024", "", "wide", "0256", "-1"}) {
      Outcome outcome = java(VECTORS, "-Dkolors4j.vector.bits=" + bad);
      assertNotEquals(0, outcome.exit());
      assertTrue(
          outcome
              .out()
              .contains(
                  "[kernels] -Dkolors4j.vector.bits=" + bad + ": use 0 (scalar), 128, 256 or 512."),
          outcome.out());
    }
  }
}
