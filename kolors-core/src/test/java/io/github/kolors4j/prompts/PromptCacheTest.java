package io.github.kolors4j.prompts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tokenizer.TokenizedPrompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptCacheTest {
  private static final String KEY = "0".repeat(64);

  @TempDir private Path folder;

  private static PromptEmbeds embeds(int seed) {
    float[] context = new float[3 * 4];
    for (int i = 0; i < context.length; i++) {
      context[i] = seed + i / 7f;
    }
    context[1] = -0f;
    return PromptEmbeds.of(
        FloatArray.of(context, 1, 3, 4), FloatArray.of(new float[] {seed, 1, 2, 3}, 1, 4));
  }

  private Path only() throws IOException {
    return files().getFirst();
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  @Test
  void whatWasRememberedIsFoundByAnotherCacheOnTheSameFolder() {
    PromptCache.at(folder).remember(KEY, embeds(5));
    assertEquals(Optional.of(embeds(5)), PromptCache.at(folder).find(KEY));
    assertEquals(Optional.empty(), PromptCache.at(folder).find("1".repeat(64)));
  }

  @Test
  void theKeyDependsOnEverythingThatTheEmbeddingsDependOn() {
    TokenizedPrompt prompt =
        new TokenizedPrompt(new int[] {0, 5, 6}, new int[] {0, 1, 1}, new int[] {0, 0, 1}, 0, "");
    Set<String> keys = new HashSet<>();
    keys.add(PromptCache.key(prompt, "a", Products.F32));
    keys.add(PromptCache.key(prompt, "b", Products.F32));
    int[][] others = {{0, 5, 7}, {0, 1, 1}, {0, 0, 1}};
    keys.add(
        PromptCache.key(
            new TokenizedPrompt(others[0], others[1], others[2], 0, ""), "a", Products.F32));
    keys.add(
        PromptCache.key(
            new TokenizedPrompt(prompt.inputIds(), new int[] {1, 1, 1}, others[2], 0, ""),
            "a",
            Products.F32));
    keys.add(
        PromptCache.key(
            new TokenizedPrompt(prompt.inputIds(), others[1], new int[] {0, 1, 2}, 0, ""),
            "a",
            Products.F32));
    keys.add(
        PromptCache.key(
            new TokenizedPrompt(new int[] {5, 6}, new int[] {1, 1}, new int[] {0, 1}, 0, ""),
            "a",
            Products.F32));
    assertEquals(6, keys.size());
    assertEquals(
        PromptCache.key(prompt, "a", Products.F32), PromptCache.key(prompt, "a", Products.F32));
  }

  @Test
  void aFileThatIsDamagedAnywhereIsForgottenAndMadeAgain() throws IOException {
    PromptCache cache = PromptCache.at(folder);
    cache.remember(KEY, embeds(1));
    byte[] whole = Files.readAllBytes(only());
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 1;
      Files.write(folder.resolve(KEY + ".safetensors"), damaged);
      Optional<PromptEmbeds> found = cache.find(KEY);
      assertTrue(found.isEmpty() || found.get().equals(embeds(1)), "byte " + at);
    }
    for (int length = 0; length < whole.length; length++) {
      Files.write(folder.resolve(KEY + ".safetensors"), Arrays.copyOf(whole, length));
      assertEquals(Optional.empty(), cache.find(KEY), length + " bytes");
      assertEquals(List.of(), files());
    }
    cache.remember(KEY, embeds(1));
    assertEquals(Optional.of(embeds(1)), cache.find(KEY));
  }

  @Test
  void whatWasAskedForLongestAgoGoesFirst() throws IOException {
    PromptCache.at(folder).remember("a", embeds(1));
    long bytes = Files.size(only());
    PromptCache cache = PromptCache.at(folder, 3 * bytes);
    cache.remember("b", embeds(2));
    cache.remember("c", embeds(3));
    age("a", 30);
    age("b", 20);
    age("c", 10);
    assertTrue(cache.find("a").isPresent()); // which makes it the latest
    cache.remember("d", embeds(4));
    assertEquals(Set.of("a", "c", "d"), names());
    assertTrue(cache.find("b").isEmpty());
  }

  private void age(String key, int seconds) throws IOException {
    Files.setLastModifiedTime(
        folder.resolve(key + ".safetensors"), FileTime.from(Instant.now().minusSeconds(seconds)));
  }

  private Set<String> names() throws IOException {
    Set<String> names = new HashSet<>();
    for (Path file : files()) {
      names.add(file.getFileName().toString().replace(".safetensors", ""));
    }
    return names;
  }

  @Test
  void whatIsLargerThanTheBoundIsNotRemembered() throws IOException {
    PromptCache cache = PromptCache.at(folder, 63);
    cache.remember(KEY, embeds(1));
    assertEquals(List.of(), files());
    assertThrows(IllegalArgumentException.class, () -> PromptCache.at(folder, -1));
  }

  @Test
  void whatAKilledProcessLeftIsDeletedAfterAnHour() throws IOException {
    Path old = Files.createFile(folder.resolve(".x.tmp"));
    Path young = Files.createFile(folder.resolve(".y.tmp"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(3700)));
    PromptCache.at(folder).remember(KEY, embeds(1));
    assertFalse(Files.exists(old));
    assertTrue(Files.exists(young));
  }

  @Test
  void aFolderThatCannotBeMadeOnlyForgets() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    PromptCache cache = PromptCache.at(file.resolve("below"));
    cache.remember(KEY, embeds(1));
    assertEquals(Optional.empty(), cache.find(KEY));
    assertEquals("identity", cache.encoder(folder, "", () -> "identity").identity());
  }

  @Test
  void manyThreadsMayUseOneFolder() throws Exception {
    long bytes = 400;
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int task = 0; task < 4; task++) {
        PromptCache cache = PromptCache.at(folder, 5 * bytes);
        tasks.add(
            () -> {
              for (int i = 0; i < 50; i++) {
                int seed = i % 10;
                cache.remember("k" + seed, embeds(seed));
                Optional<PromptEmbeds> found = cache.find("k" + (i + 3) % 10);
                int expected = (i + 3) % 10;
                assertTrue(found.isEmpty() || found.get().equals(embeds(expected)));
              }
              return null;
            });
      }
      for (Future<Void> each : threads.invokeAll(tasks)) {
        each.get();
      }
    }
    assertTrue(files().stream().noneMatch(each -> each.toString().contains(".tmp")), "left over");
  }

  @Test
  void anEncoderIsKnownAgainUntilItsFilesChange() throws IOException {
    Path encoder = Files.createDirectory(folder.resolve("text_encoder"));
    Path weights = Files.writeString(encoder.resolve("model.safetensors"), "weights");
    Path config = Files.writeString(encoder.resolve("config.json"), "{}");
    PromptCache cache = PromptCache.at(folder.resolve("cache"));
    assertEquals("one", cache.encoder(encoder, "", () -> "one").identity());
    assertEquals("one", cache.encoder(encoder, "", () -> fail()).identity());
    assertEquals("of fp16", cache.encoder(encoder, "fp16", () -> "of fp16").identity());
    Files.delete(weights);
    assertEquals("one", cache.encoder(encoder, "", () -> fail()).identity(), "weights removed");
    Files.writeString(weights, "other weights");
    assertEquals("two", cache.encoder(encoder, "", () -> "two").identity());
    Files.delete(weights);
    Files.delete(config);
    Files.delete(encoder);
    assertEquals("two", cache.encoder(encoder, "", () -> fail()).identity(), "folder removed");
    try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
      for (Path file : files.toList()) {
        Files.writeString(file, "{\"identity\":");
      }
    }
    assertEquals("three", cache.encoder(encoder, "", () -> "three").identity(), "damaged");
    assertNotEquals("two", cache.encoder(encoder, "", () -> fail()).identity());
  }

  /** As a damaged file that is replaced by a whole one has. */
  @Test
  void anEncoderOfTheSameIdentityButOtherFilesHasAnotherKey() throws IOException {
    Path encoder = Files.createDirectory(folder.resolve("text_encoder"));
    Path weights = Files.writeString(encoder.resolve("model.safetensors"), "weights");
    PromptCache cache = PromptCache.at(folder.resolve("cache"));
    String first = cache.encoder(encoder, "", () -> "one").key();
    assertEquals(first, cache.encoder(encoder, "", () -> fail()).key());
    Files.setLastModifiedTime(weights, FileTime.from(Instant.now().plusSeconds(5)));
    assertNotEquals(first, cache.encoder(encoder, "", () -> "one").key());
  }

  @Test
  void whatIsNotFiniteIsNotRemembered() throws IOException {
    float[] context = new float[12];
    context[7] = Float.NaN;
    PromptCache cache = PromptCache.at(folder);
    cache.remember(
        KEY, PromptEmbeds.of(FloatArray.of(context, 1, 3, 4), FloatArray.of(new float[4], 1, 4)));
    assertEquals(List.of(), files());
  }

  private static String fail() {
    throw new AssertionError("the encoder was opened");
  }
}
