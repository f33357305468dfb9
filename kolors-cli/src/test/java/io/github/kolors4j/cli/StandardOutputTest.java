package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.SafetensorsFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes to standard output, by name or without one, and what becomes of it on a full disk. */
class StandardOutputTest {
  private static final String SMALL = " --width 16 --height 16 --steps 1 --seed 1";

  @TempDir private Path folder;

  /** As /dev/full. */
  private static final class FullDisk extends OutputStream {
    @Override
    public void write(int b) throws IOException {
      throw new IOException("No space left on device");
    }
  }

  private record Bytes(int exitCode, byte[] out, String err) {}

  private Bytes run(OutputStream results, String line) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new PrintStream(results, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    String[] args =
        Stream.of(line.split(" "))
            .map(arg -> arg.replace("DIR", folder.toString()))
            .toArray(String[]::new);
    int exitCode = KolorsCommand.run(terminal, new Interruption(), args);
    byte[] out = results instanceof ByteArrayOutputStream bytes ? bytes.toByteArray() : new byte[0];
    return new Bytes(exitCode, out, err.toString(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tokenize hi",
        "tokenize hi --json",
        "inspect DIR",
        "inspect DIR --json",
        "schedulers",
        "schedulers euler --json",
        "generate --help",
        "help",
        "--version",
        "generate x --json --out DIR/a.png" + SMALL,
        "generate x --out -" + SMALL,
        "encode x --out DIR/a.safetensors",
        "encode x --out -"
      })
  void resultsThatAreLostEndWith1(String line) {
    Bytes run = run(new FullDisk(), line);
    assertEquals(1, run.exitCode(), run.err());
    String last = run.err().lines().toList().getLast();
    assertTrue(last.startsWith("kolors: [output] standard output could not be"), run.err());
    boolean hasFile = line.contains("DIR/a");
    assertEquals(hasFile, last.contains("Complete is 1 file: " + folder.resolve("a")), last);
  }

  @Test
  void aPictureGoesToStandardOutputWithTheBytesThatItsFileHas() throws IOException {
    assertEquals(
        0, run(new ByteArrayOutputStream(), "generate x --out DIR/a.png" + SMALL).exitCode());
    Bytes run = run(new ByteArrayOutputStream(), "generate x --out -" + SMALL);
    assertEquals(0, run.exitCode(), run.err());
    assertArrayEquals(Files.readAllBytes(folder.resolve("a.png")), run.out());
    assertFalse(Files.exists(Path.of("-")));
    assertTrue(run.err().contains("seed 1"), run.err());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate x --output-type latent --out -" + SMALL,
        "encode x --out -",
        "encode x --out /dev/stdout"
      })
  void tensorsGoToStandardOutputToo(String line) throws IOException {
    Bytes run = run(new ByteArrayOutputStream(), line);
    assertEquals(0, run.exitCode(), run.err());
    Path copy = Files.write(folder.resolve("copy"), run.out());
    try (SafetensorsFile file = SafetensorsFile.open(copy)) {
      assertTrue(file.names().contains(line.startsWith("encode") ? "prompt_embeds" : "latents"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate x --out - --json",
        "generate x --out - --images 2",
        "generate x --out /dev/stdout --seed 1,2",
        "generate x --out DIR/link --json"
      })
  void whatOneStreamCannotTakeIsRefused(String line) throws IOException {
    Files.createSymbolicLink(folder.resolve("link"), Path.of("/dev/stdout"));
    Bytes run = run(new ByteArrayOutputStream(), line);
    assertEquals(2, run.exitCode(), run.err());
    assertEquals(0, run.out().length);
    assertTrue(run.err().contains("standard output"), run.err());
  }

  @Test
  void namesThatMeanStandardOutput() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("/dev/stdout"));
    Path circle = Files.createSymbolicLink(folder.resolve("circle"), Path.of("circle"));
    for (Path name : List.of(Path.of("-"), Path.of("/dev/stdout"), Path.of("/dev/fd/1"), link)) {
      assertTrue(OutputFiles.isStandardOutput(name), name.toString());
    }
    for (Path name : List.of(Path.of("./-"), Path.of("a/-"), Path.of("--"), circle, folder)) {
      assertFalse(OutputFiles.isStandardOutput(name), name.toString());
    }
  }

  @Test
  void aLinkToAFileThatIsNotThereYetIsWrittenThrough() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("target"));
    for (String line :
        List.of(
            "generate x --out DIR/link" + SMALL,
            "generate x --out DIR/link --output-type latent" + SMALL,
            "encode x --out DIR/link")) {
      Files.deleteIfExists(folder.resolve("target"));
      Bytes run = run(new ByteArrayOutputStream(), line);
      assertEquals(0, run.exitCode(), run.err());
      assertTrue(Files.isSymbolicLink(link));
      assertTrue(Files.size(folder.resolve("target")) > 0);
    }
  }

  @Test
  void aLinkThatLeadsNowhereIsFoundBeforeTheModelIsOpened() throws IOException {
    Files.createSymbolicLink(folder.resolve("link"), Path.of("none/target"));
    Files.createSymbolicLink(folder.resolve("circle"), Path.of("circle"));
    for (String name : List.of("link", "circle")) {
      Bytes run = run(new ByteArrayOutputStream(), "generate x --model /none --out DIR/" + name);
      assertEquals(1, run.exitCode());
      assertTrue(run.err().startsWith("kolors: [output] " + folder.resolve(name)), run.err());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"generate x --out DIR/new/", "encode x --out DIR/new/"})
  void aNameThatEndsWithASlashIsAFolderAndNoFileOfThatName(String line) {
    Bytes run = run(new ByteArrayOutputStream(), line);
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("new/ is a folder"), run.err());
    assertFalse(Files.exists(folder.resolve("new")));
  }

  /** Its place in /dev would be taken by a file. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aDeviceIsWrittenToAndStaysOne() {
    for (String line :
        List.of(
            "generate x --out /dev/null" + SMALL,
            "generate x --out /dev/null --output-type latent" + SMALL,
            "encode x --out /dev/null")) {
      Bytes run = run(new ByteArrayOutputStream(), line);
      assertEquals(0, run.exitCode(), run.err());
      assertFalse(Files.isRegularFile(Path.of("/dev/null")));
    }
  }
}
