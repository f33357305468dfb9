package io.github.kolors4j.tensor.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
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
    return java(List.of(jar(Class.forName("org.slf4j.simple.SimpleServiceProvider"))), flags);
  }

  /** A JVM with the library, SLF4J and further jars on its class path. */
  private static Outcome java(List<String> jars, String... flags) throws Exception {
    List<String> classPath = new ArrayList<>();
    classPath.add(Path.of("target", "classes").toAbsolutePath().toString());
    classPath.add(Path.of("target", "test-classes").toAbsolutePath().toString());
    classPath.add(jar(Logger.class));
    classPath.addAll(jars);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(flags));
    command.add("-cp");
    command.add(String.join(File.pathSeparator, classPath));
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

  /** One sentence with the reason and the cure; development environments start programs so. */
  @Test
  void aJvmWithoutC2RunsTheScalarKernelsAndOneWarningSaysWhy() throws Exception {
    String c1 = "this JVM compiles with C1 alone and not with C2";
    assertScalarFor(c1, "-XX:TieredStopAtLevel=1");
    assertScalarFor(c1, "-XX:TieredStopAtLevel=3");
    assertScalarFor(c1, "-XX:CompilationMode=quick-only");
    assertScalarFor("this JVM only interprets", "-Xint");
    assertScalarFor("this JVM only interprets", "-XX:TieredStopAtLevel=0");
    assertScalarFor(
        "this JVM was told not to compile the Vector API",
        "-XX:+UnlockExperimentalVMOptions",
        "-XX:-EnableVectorSupport");
  }

  private static void assertScalarFor(String reason, String... flags) throws Exception {
    List<String> all = new ArrayList<>(List.of(VECTORS));
    all.addAll(List.of(flags));
    Outcome outcome = java(all.toArray(String[]::new));
    assertEquals(0, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("kernels=scalar sum=2.5"), outcome.out());
    assertEquals(1, outcome.lines("WARN").size(), outcome.out());
    String warning = outcome.lines("WARN").getFirst();
    assertTrue(warning.contains("[kernels] " + reason + ": the scalar kernels are used"), warning);
    assertTrue(warning.contains("; start java without -X"), warning);
  }

  @Test
  void aWidthThatWasAskedForIsKeptInASlowJvmWithTheWarning() throws Exception {
    Outcome outcome = java(VECTORS, "-Xint", "-Dkolors4j.vector.bits=128");
    assertEquals(0, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("kernels=vector 128-bit sum=2.5"), outcome.out());
    assertEquals(1, outcome.lines("WARN").size(), outcome.out());
    assertTrue(
        outcome.lines("WARN").getFirst().contains("only interprets: the vector kernels are used"),
        outcome.out());
  }

  @Test
  void c2AloneIsNoReasonToWarn() throws Exception {
    Outcome outcome = java(VECTORS, "-XX:-TieredCompilation");
    assertTrue(outcome.out().contains("kernels=vector"), outcome.out());
    assertEquals(List.of(), outcome.lines("WARN"));
  }

  @Test
  void withoutTheManagementModulesTheKernelsRunAndASlowJvmIsNoticedAllTheSame() throws Exception {
    String few = "--limit-modules=java.base,jdk.incubator.vector";
    Outcome outcome = java(few, VECTORS);
    assertEquals(0, outcome.exit(), outcome.out());
    assertTrue(outcome.out().contains("kernels=vector"), outcome.out());
    assertEquals(List.of(), outcome.lines("WARN"));
    assertScalarFor("this JVM only interprets", few, "-Xint");
    assertScalarFor(
        "this JVM compiles with C1 alone and not with C2", few, "-XX:TieredStopAtLevel=1");
  }

  /** SLF4J throws everything away then, and an application would be slow without a word. */
  @Test
  void aWarningIsNotLostWhereSlf4jHasNoProvider() throws Exception {
    for (String modules : new String[] {"java.base", "java.base,java.logging"}) {
      Outcome outcome = java(List.of(), "--limit-modules=" + modules);
      assertEquals(0, outcome.exit(), outcome.out());
      assertTrue(outcome.out().contains("kernels=scalar sum=2.5"), outcome.out());
      List<String> warnings =
          outcome.out().lines().filter(line -> line.contains("[kernels] ")).toList();
      assertEquals(1, warnings.size(), outcome.out());
      assertTrue(
          warnings.getFirst().endsWith("start java with --add-modules jdk.incubator.vector"));
    }
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
