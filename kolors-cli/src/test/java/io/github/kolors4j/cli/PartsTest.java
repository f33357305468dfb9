package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.request.MicroConditioning.Crop;
import io.github.kolors4j.request.MicroConditioning.Size;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Of the small parts: names, numbers, sentences, the second JVM's arguments. */
class PartsTest {
  @Test
  void aSinglePictureKeepsItsNameAndSeveralAreNumberedBeforeTheSuffix() {
    assertEquals(List.of(Path.of("a/b.png")), OutputFiles.names(Path.of("a/b.png"), 1));
    assertEquals(
        List.of(Path.of("a/b-0.png"), Path.of("a/b-1.png")),
        OutputFiles.names(Path.of("a/b.png"), 2));
    assertEquals(List.of(Path.of("图-0"), Path.of("图-1")), OutputFiles.names(Path.of("图"), 2));
    assertEquals(List.of(Path.of(".x-0"), Path.of(".x-1")), OutputFiles.names(Path.of(".x"), 2));
    assertEquals(
        List.of(Path.of("a.b-0.PNG"), Path.of("a.b-1.PNG")),
        OutputFiles.names(Path.of("a.b.PNG"), 2));
  }

  @Test
  void decimalsAreWhatPeopleWrite() {
    Numbers.Decimal decimal = new Numbers.Decimal();
    assertEquals(6.5f, decimal.convert("6.5"));
    assertEquals(-0.5f, decimal.convert("-.5"));
    assertEquals(100f, decimal.convert("1e2"));
    for (String text : List.of("", "NaN", "0x1p3", "1d", "1e39", "-Infinity", "1,5", " 1")) {
      assertThrows(RuntimeException.class, () -> decimal.convert(text), text);
    }
  }

  @Test
  void seedsAreWholeNumbersOf64Bits() {
    assertEquals(List.of(), Numbers.seeds(null));
    assertEquals(List.of(7L), Numbers.seeds("7"));
    assertEquals(List.of(-1L, 0L, Long.MAX_VALUE), Numbers.seeds("-1, 0,9223372036854775807"));
    assertEquals(
        List.of(-1L, Long.MIN_VALUE), Numbers.seeds("18446744073709551615,-9223372036854775808"));
    assertEquals(-1L, new Numbers.Seed().convert("18446744073709551615"));
    assertEquals("18446744073709551615", Numbers.unsigned(-1).toString());
    for (String text : List.of("", "18446744073709551616", "-9223372036854775809", "1.0", "0x1")) {
      assertThrows(UsageException.class, () -> Numbers.seeds(text), text);
    }
  }

  @Test
  void doublesKeepTheDigitsThatAFloatLoses() {
    assertEquals(0.8, new Numbers.Decimal().convert("0.8"));
    for (String text : List.of("", "NaN", "1d", "1e999", "0,8")) {
      assertThrows(RuntimeException.class, () -> new Numbers.Decimal().convert(text), text);
    }
  }

  @Test
  void sizesAreWidthFirstAndCornersTopFirst() {
    assertEquals(new Size(768, 1024), new Numbers.PixelSize().convert("1024x768"));
    assertEquals(new Size(1, 2), new Numbers.PixelSize().convert("2X1"));
    assertEquals(new Crop(0, 16), new Numbers.TopLeft().convert("0,16"));
    assertEquals(new Crop(-8, 16), new Numbers.TopLeft().convert("-8, 16"));
    for (String text : List.of("", "8", "8x", "x8", "8x8x8", "-8x8", "0x8", "1.5x8", "8 x 8")) {
      assertThrows(RuntimeException.class, () -> new Numbers.PixelSize().convert(text), text);
    }
    for (String text : List.of("", "8", "8,", ",8", "8,8,8", "1.5,8", "8x8")) {
      assertThrows(RuntimeException.class, () -> new Numbers.TopLeft().convert(text), text);
    }
  }

  @Test
  void listsOfNumbersAreRefusedByTheNameOfTheirOption() {
    assertArrayEquals(new double[] {999, 1, 0}, Numbers.wholes("--timesteps", "999, 1,0"));
    assertArrayEquals(new double[] {14.5, 0}, Numbers.decimals("--sigmas", "14.5,0"));
    for (String text : List.of("", "1,", "1,,2", "-1", "1.5", "x")) {
      UsageException e =
          assertThrows(UsageException.class, () -> Numbers.wholes("--timesteps", text), text);
      assertTrue(e.getMessage().contains("--timesteps"), e.getMessage());
    }
  }

  @Test
  void fewBytesAreToldInKilobytes() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream screen = new PrintStream(err, true, StandardCharsets.UTF_8);
    long begin = System.nanoTime() - 1_000_000_000;
    new ProgressBar(new Terminal(screen, screen, false)).bytes(410_000, 410_000, begin);
    new ProgressBar(new Terminal(screen, screen, false)).bytes(10_000_000, 10_000_000, begin);
    List<String> lines = err.toString(StandardCharsets.UTF_8).lines().toList();
    assertTrue(lines.getFirst().matches("410 of 410 kB \\d+ MB/s"), lines.getFirst());
    assertTrue(lines.getLast().matches("10 of 10 MB \\d+ MB/s"), lines.getLast());
  }

  @Test
  void nobodyIsToldTheSecondsOfAFew() {
    CostEstimate.Stage second = new CostEstimate.Stage(1, 1);
    CostEstimate three = new CostEstimate(second, second, second, 1, 1, 1);
    assertTrue(EarlierRuns.sentence(three, 6.9).startsWith("less than ten seconds on this"));
    assertTrue(EarlierRuns.sentence(three, 7).startsWith("about 0:10 on this"));
  }

  @Test
  void timeLeftIsRoundedUp() {
    assertEquals("0:00", ProgressBar.clock(Duration.ZERO));
    assertEquals("0:01", ProgressBar.clock(Duration.ofMillis(1)));
    assertEquals("12:30", ProgressBar.clock(Duration.ofSeconds(750)));
    assertEquals("1:02:03", ProgressBar.clock(Duration.ofSeconds(3723)));
  }

  @Test
  void argumentsSurviveTheWayToTheSecondJvm() {
    for (String[] args :
        List.of(
            new String[] {},
            new String[] {""},
            new String[] {"generate", "图 \"x\"\n", "", "--out=图.png", ""})) {
      String encoded = Relaunch.encode(args);
      assertTrue(encoded.matches("[A-Za-z0-9_.-]*"), encoded);
      assertArrayEquals(args, Relaunch.decode(encoded));
    }
  }

  @Test
  void optionsForTheJvmAreSplitAtWhiteSpace() {
    assertEquals(List.of(), Relaunch.options(null));
    assertEquals(List.of(), Relaunch.options("  "));
    assertEquals(List.of("-Xmx1g", "-Da=b"), Relaunch.options(" -Xmx1g   -Da=b "));
  }

  @Test
  void theSecondJvmGetsTheOptionsOfTheScript() throws IOException {
    List<String> everywhere = Relaunch.tuning("Windows 11", 8, List.of());
    assertTrue(everywhere.contains("-Xms48m"), everywhere.toString());
    assertTrue(everywhere.stream().allMatch(option -> option.matches("-[XD]\\S+")), "no comments");
    String pages = "-XX:+UseTransparentHugePages";
    String compilers = "-XX:CICompilerCount=3";
    assertEquals(List.of(pages, compilers), added(everywhere, "Linux", 2));
    assertEquals(List.of(pages), added(everywhere, "Linux", 4));
    assertEquals(List.of(compilers), added(everywhere, "Mac OS X", 3));
  }

  @ParameterizedTest
  @ValueSource(strings = {"VectorKernels", "VectorMath", "Tile5x2", "Tile6x4"})
  void theOptionsNameKernelsThatThereAre(String name) throws Exception {
    String kernel = Class.forName("io.github.kolors4j.tensor.kernel." + name).getName();
    assertTrue(
        Relaunch.tuning("Linux", 2, List.of()).stream()
            .filter(option -> option.contains("CompileThresholdScaling"))
            .map(option -> option.split(",")[1].replace("::*", ""))
            .anyMatch(pattern -> kernel.startsWith(pattern.replace("*", ""))),
        kernel);
  }

  /** As the JVM would not start with an initial heap above the largest one. */
  @Test
  void aHeapThatIsSmallerThanTheOptionsHaveItIsTakenForTheInitialOneToo() throws IOException {
    for (String small : List.of("-Xmx40m", "-Xmx40000k", "-Xmx40000000", "-XX:MaxHeapSize=1M")) {
      String size = small.replaceFirst("-Xmx|.*=", "");
      List<String> options = Relaunch.tuning("Linux", 2, List.of("-Xmx9g", small));
      assertEquals("-Xms" + size, options.getLast());
    }
    for (String large :
        List.of("-Xmx48m", "-Xmx1g", "-Xmx999999999999999999999", "-Xmx", "-Xmxm")) {
      List<String> options = Relaunch.tuning("Linux", 2, List.of(large));
      assertEquals(Relaunch.tuning("Linux", 2, List.of()), options, large);
    }
  }

  @Test
  void theSecondJvmGetsNeitherDebuggerNorJmxWhosePortTheFirstOneHas() {
    for (String option :
        List.of(
            "-agentlib:jdwp=transport=dt_socket,server=y,address=5005",
            "-Xrunjdwp:transport=dt_socket",
            "-Xdebug",
            "-Dcom.sun.management.jmxremote.port=7091",
            "-XX:+ManagementServer")) {
      assertFalse(Relaunch.isInherited(option), option);
    }
    for (String option :
        List.of("-Xmx1g", "-agentlib:hprof", "-Dcom.sun.x=1", "-javaagent:a.jar")) {
      assertTrue(Relaunch.isInherited(option), option);
    }
  }

  @Test
  void argumentsAreReadByTheCharsetOfTheLocale() {
    assertEquals(StandardCharsets.UTF_8, CommandLineText.ofLocale(Map.of()));
    assertEquals(StandardCharsets.UTF_8, CommandLineText.ofLocale(Map.of("LANG", "C")));
    Map<String, String> chinese = Map.of("LANG", "zh_CN.GBK@pinyin", "LC_ALL", "");
    Charset gbk = CommandLineText.ofLocale(chinese);
    assertEquals(Charset.forName("GBK"), gbk);
    List<byte[]> line = CommandLineText.split("java\0一只猫\0\0".getBytes(gbk));
    assertArrayEquals(new String[] {"java", "一只猫", ""}, CommandLineText.decode(line, gbk));
    assertThrows(
        UsageException.class, () -> CommandLineText.ofLocale(Map.of("LANG", "zh_CN.HZ-9")));
  }

  @Test
  void bytesThatAreNoTextAreRefused() {
    List<byte[]> line = List.of(new byte[] {'a'}, new byte[] {'a', -1, -2, 'b'});
    UsageException e =
        assertThrows(
            UsageException.class, () -> CommandLineText.decode(line, StandardCharsets.UTF_8));
    assertTrue(e.getMessage().contains("argument 2 is no text in UTF-8"), e.getMessage());
  }

  private static List<String> added(List<String> everywhere, String system, int processors)
      throws IOException {
    List<String> options = Relaunch.tuning(system, processors, List.of());
    int added = options.size() - everywhere.size();
    assertEquals(everywhere, options.subList(added, options.size()));
    return options.subList(0, added);
  }

  @Test
  void theSecondJvmGetsTheVectorModuleAndDoesNotStartAThird() throws IOException {
    List<String> command = Relaunch.command(new String[] {"generate", "图"});
    assertTrue(command.containsAll(List.of("--add-modules", "jdk.incubator.vector")));
    assertTrue(command.contains("-Dkolors4j.relaunch=false"));
    assertEquals(Main.class.getName(), command.getLast());
  }

  @Test
  void whatTheJdkSaysInAWordBecomesASentence() {
    assertEquals("[file] x does not exist", KolorsCommand.sentence(new NoSuchFileException("x")));
    assertEquals("[x] as it is", KolorsCommand.sentence(new IOException("[x] as it is")));
    assertTrue(KolorsCommand.sentence(new OutOfMemoryError("Java heap space")).contains("-Xmx"));
    assertTrue(KolorsCommand.sentence(new NullPointerException()).contains("--verbose"));
  }
}
