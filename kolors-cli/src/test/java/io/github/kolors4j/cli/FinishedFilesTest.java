package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.SafetensorsFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is made before a request ends too early: it is there, whole, and named. */
class FinishedFilesTest {
  @TempDir private Path folder;
  private final Interruption interruption = new Interruption();

  /** What happens while a picture is made. */
  private interface Accident {
    void happen() throws IOException;
  }

  /** Standard error, where something happens when a line says which picture is begun. */
  private static final class Progress extends ByteArrayOutputStream {
    private final String begun;
    private final Accident accident;
    private boolean happened;

    Progress(String begun, Accident accident) {
      this.begun = begun;
      this.accident = accident;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      super.write(bytes, offset, length);
      if (!happened && toString(StandardCharsets.UTF_8).contains(begun)) {
        happened = true;
        try {
          accident.happen();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  /** Three pictures of 16 by 16 pixels; the accident happens when the given one is begun. */
  private Run generate(int image, Accident accident, String out, String... more) {
    ByteArrayOutputStream results = new ByteArrayOutputStream();
    Progress progress = new Progress("image " + image + "/3 step 0", accident);
    Terminal terminal =
        new Terminal(
            new PrintStream(results, true, StandardCharsets.UTF_8),
            new PrintStream(progress, true, StandardCharsets.UTF_8),
            false);
    List<String> args = new ArrayList<>(List.of("generate", "x", "--seed", "1", "--images", "3"));
    args.addAll(List.of("--width", "16", "--height", "16", "--steps", "2"));
    args.addAll(List.of("--out", folder.resolve(out).toString()));
    args.addAll(List.of(more));
    int exitCode = KolorsCommand.run(terminal, interruption, args.toArray(String[]::new));
    return new Run(
        exitCode,
        results.toString(StandardCharsets.UTF_8),
        progress.toString(StandardCharsets.UTF_8));
  }

  private Terminal elsewhere() {
    PrintStream stream = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    return new Terminal(stream, stream, false);
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String lastLine(Run run) {
    return run.err().lines().toList().getLast();
  }

  private static void assertSays(Run run, String... texts) {
    for (String text : texts) {
      assertTrue(lastLine(run).contains(text), run.err());
    }
  }

  @Test
  void cancelledInTheThirdPictureTheFirstTwoAreThereAndNamed() throws IOException {
    Run run = generate(3, () -> interruption.token().cancel(), "a.png");
    assertEquals(130, run.exitCode());
    assertEquals("", run.out());
    assertEquals(List.of("a-0.png", "a-1.png"), files());
    assertNotNull(ImageIO.read(folder.resolve("a-1.png").toFile()));
    assertSays(run, "Complete are 2 files: ", "a-0.png, ", "a-1.png.");
  }

  /** As by Ctrl-C, which is handled by another thread than the one that generates. */
  @Test
  void interruptedInTheSecondPictureTheFirstOneIsThereAndNamed() throws IOException {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(said, true, StandardCharsets.UTF_8);
    Run run =
        generate(
            2, () -> interruption.begin(new Terminal(stream, stream, false)), "a.png", "--json");
    assertEquals(130, run.exitCode());
    assertEquals("", run.out());
    assertEquals(List.of("a-0.png"), files());
    String sentence = said.toString(StandardCharsets.UTF_8);
    assertTrue(sentence.startsWith("kolors: interrupted before the end. Complete is 1 file: "));
    assertTrue(sentence.strip().endsWith("a-0.png."), sentence);
  }

  @Test
  void afterTheSentenceOfAnInterruptionNothingIsBegunThatCouldNotBeEnded() throws IOException {
    interruption.begin(elsewhere());
    Run run = generate(1, () -> {}, "a.png");
    assertEquals(130, run.exitCode());
    assertEquals(List.of(), files());
  }

  @Test
  void whereOnePictureCannotBeWrittenThoseBeforeItAreThereAndNamed() throws IOException {
    Run run = generate(2, () -> Files.createDirectory(folder.resolve("a-1.png")), "a.png");
    assertEquals(1, run.exitCode());
    assertEquals("", run.out());
    assertEquals(List.of("a-0.png", "a-1.png"), files(), "nothing half-written beside them");
    assertSays(run, "a-1.png is a folder", "Complete is 1 file: ", "a-0.png.");
  }

  @Test
  void aFolderThatIsRemovedInTheMiddleIsNamed() throws IOException {
    Path out = Files.createDirectory(folder.resolve("out"));
    Run run =
        generate(
            2,
            () -> {
              Files.move(out.resolve("a-0.png"), folder.resolve("moved.png"));
              Files.delete(out);
            },
            "out/a.png");
    assertEquals(1, run.exitCode());
    assertEquals(List.of("moved.png"), files());
    assertSays(run, "cannot save ", "a-1.png", "the folder " + out + " does not exist");
  }

  @Test
  void latentsThatAreFinishedAreWrittenWhenTheRestIsCancelled() throws IOException {
    Run run = generate(3, () -> interruption.token().cancel(), "a", "--output-type", "latent");
    assertEquals(130, run.exitCode());
    assertEquals(List.of("a"), files());
    assertSays(run, "Complete is 1 file: ");
    assertEquals(List.of(2L, 4L, 4L, 4L), shapeOf("a"));
  }

  @Test
  void latentsThatAreFinishedAreWrittenByAnInterruption() throws IOException {
    Run run = generate(2, () -> interruption.begin(elsewhere()), "a", "--output-type", "latent");
    assertEquals(130, run.exitCode());
    assertEquals(List.of(1L, 4L, 4L, 4L), shapeOf("a"));
  }

  private List<Long> shapeOf(String name) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(name))) {
      return file.find("latents").orElseThrow().shape();
    }
  }

  @Test
  void aPictureHasTheSameBytesWhetherTheOthersAreMadeOrNot() throws IOException {
    generate(2, () -> interruption.token().cancel(), "a.png");
    String alone = folder.resolve("alone.png").toString();
    String size = "--width 16 --height 16 --steps 2 --seed 1 --out";
    assertEquals(0, Run.of(("generate x " + size + " " + alone).split(" ")).exitCode());
    assertArrayEquals(
        Files.readAllBytes(Path.of(alone)), Files.readAllBytes(folder.resolve("a-0.png")));
    assertFalse(Files.exists(folder.resolve("a-1.png")));
  }

  @Test
  void ofManyFilesTheFirstAndTheLastAreNamed() throws IOException {
    for (int i = 0; i < 20; i++) {
      interruption.whole(Path.of(i + ".png"), () -> {});
    }
    assertEquals(" Complete are 20 files: 0.png, 1.png, ..., 19.png.", interruption.saved());
  }
}
