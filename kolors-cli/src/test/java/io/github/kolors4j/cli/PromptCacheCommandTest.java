package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the command line prompts are remembered, unless told otherwise. */
class PromptCacheCommandTest {
  @TempDir private Path folder;
  private String before;

  @BeforeEach
  void useAnEmptyCache() {
    before = System.getProperty(CacheFolder.PROPERTY);
    System.setProperty(CacheFolder.PROPERTY, folder.resolve("cache").toString());
  }

  @AfterEach
  void useTheOther() {
    if (before == null) {
      System.clearProperty(CacheFolder.PROPERTY);
    } else {
      System.setProperty(CacheFolder.PROPERTY, before);
    }
  }

  private Run generate(Path model, String name, String... more) {
    List<String> args = new ArrayList<>(List.of("generate", "一只瓢虫", "--width", "32"));
    args.addAll(List.of("--height", "24", "--steps", "1", "--seed", "1"));
    args.addAll(List.of("--model", model.toString(), "--out", folder.resolve(name).toString()));
    args.addAll(List.of(more));
    return Run.of(args.toArray(String[]::new));
  }

  private Path model() throws IOException {
    Path from = MiniCheckpoint.directory();
    Path to = folder.resolve("model");
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
    return to;
  }

  private static void removeEncoder(Path model) throws IOException {
    try (Stream<Path> files = Files.list(model.resolve("text_encoder"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void aRepeatedPromptNeedsNoTextEncoder() throws IOException {
    Path model = model();
    Run first = generate(model, "a.png");
    assertEquals(0, first.exitCode(), first.err());
    removeEncoder(model);
    Run again = generate(model, "b.png");
    assertEquals(0, again.exitCode(), again.err());
    assertEquals(
        KolorsImage.read(folder.resolve("a.png")), KolorsImage.read(folder.resolve("b.png")));
    Run replay = Run.of("replay", folder.resolve("a.png").toString(), "--model", model.toString());
    assertEquals(0, replay.exitCode(), replay.err());
    Run other = generate(model, "c.png", "--negative-prompt", "other");
    assertEquals(1, other.exitCode());
    assertTrue(other.err().contains("text_encoder"), other.err());
    assertFalse(other.err().contains("internal"), other.err());
  }

  @Test
  void withoutTheCacheNothingIsRemembered() throws IOException {
    Path model = model();
    Run first = generate(model, "a.png", "--no-prompt-cache");
    assertEquals(0, first.exitCode(), first.err());
    assertFalse(Files.exists(folder.resolve("cache")));
    removeEncoder(model);
    Run again = generate(model, "b.png");
    assertEquals(1, again.exitCode());
  }
}
