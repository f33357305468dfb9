package io.github.kolors4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every text and every length, besides equality with diffusers. */
class ChatGlmTokenizerTest {
  private static final String LADYBUG = "一只瓢虫,蓝色背景";

  private static ChatGlmTokenizer tokenizer;

  @BeforeAll
  static void load() throws IOException {
    tokenizer = ChatGlmTokenizer.load(TokenizerReferences.MINI);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 10, 77, 256, 1000})
  void aPromptIsPaddingThenPrefixThenText(int maxLength) {
    int[] content = tokenizer.contentIds(LADYBUG);
    TokenizedPrompt prompt = tokenizer.encode(LADYBUG, maxLength);
    int kept = Math.min(content.length, maxLength - 2);
    int padding = maxLength - 2 - kept;
    int[] ids = prompt.inputIds();
    assertEquals(maxLength, prompt.length());
    assertEquals(tokenizer.id("[gMASK]").orElseThrow(), ids[padding]);
    assertEquals(tokenizer.id("sop").orElseThrow(), ids[padding + 1]);
    assertArrayEquals(
        Arrays.copyOf(content, kept), Arrays.copyOfRange(ids, padding + 2, maxLength));
    for (int i = 0; i < padding; i++) {
      assertEquals(0, ids[i] + prompt.attentionMask()[i] + prompt.positionIds()[i]);
    }
    for (int i = padding; i < maxLength; i++) {
      assertEquals(1, prompt.attentionMask()[i]);
      assertEquals(i - padding, prompt.positionIds()[i]);
    }
    assertEquals(content.length - kept, prompt.lostTokens());
    assertEquals(content.length > kept, prompt.truncated());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void thePrefixIsNeverCut(int maxLength) {
    TokenizedPrompt prompt = tokenizer.encode(LADYBUG, maxLength);
    assertArrayEquals(new int[] {2040, 2042}, prompt.inputIds());
    assertArrayEquals(new int[] {1, 1}, prompt.attentionMask());
    assertArrayEquals(new int[] {0, 1}, prompt.positionIds());
    assertEquals(LADYBUG, prompt.lost());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
  void aLengthBelowOneIsRefused(int maxLength) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> tokenizer.encode("a", maxLength));
    assertEquals("[tokenizer] maxLength " + maxLength + ": at least 1 is needed", e.getMessage());
  }

  @Test
  void theLostPartIsWhatTheEndOfTheTextSaid() {
    String text = "a ladybug, ".repeat(200) + "at the very end 瓢虫";
    TokenizedPrompt prompt = tokenizer.encode(text, 256);
    assertTrue(prompt.lost().endsWith("at the very end 瓢虫"), prompt::lost);
    int[] kept = Arrays.copyOfRange(prompt.inputIds(), 2, 256);
    // Alone, the lost part decodes without its leading space.
    String joined = tokenizer.decode(kept) + prompt.lost();
    assertEquals(text.replace(" ", ""), joined.replace(" ", ""));
    assertEquals(tokenizer.contentIds(text).length - 254, prompt.lostTokens());
  }

  @Test
  void nothingIsLostOfATextThatJustFits() {
    int length = tokenizer.contentIds(LADYBUG).length + 2;
    TokenizedPrompt fits = tokenizer.encode(LADYBUG, length);
    assertFalse(fits.truncated());
    assertEquals("", fits.lost());
    TokenizedPrompt cut = tokenizer.encode(LADYBUG, length - 1);
    assertEquals(1, cut.lostTokens());
    assertTrue(LADYBUG.endsWith(cut.lost()), cut::lost);
  }

  @Test
  void aLostSpaceIsCountedThoughItDecodesToNothing() {
    String text = "a ";
    TokenizedPrompt prompt = tokenizer.encode(text, tokenizer.contentIds(text).length + 1);
    assertTrue(prompt.truncated());
    assertEquals("", prompt.lost());
  }

  @Test
  void unpairedSurrogatesAreReplacementCharacters() {
    assertArrayEquals(tokenizer.contentIds("a\uFFFDb"), tokenizer.contentIds("a\uD800b"));
    assertArrayEquals(tokenizer.contentIds("\uFFFD\uFFFD"), tokenizer.contentIds("\uDC00\uD800"));
    assertArrayEquals(tokenizer.contentIds("😀\uFFFD"), tokenizer.contentIds("😀\uD83D"));
  }

  /** With byte fallback and no collapsing of spaces, a text is only changed where it has U+2581. */
  @Test
  void randomTextsComeBackUnchanged() {
    SplittableRandom random = new SplittableRandom(20261123);
    for (int i = 0; i < 2_000; i++) {
      String text = randomText(random, random.nextInt(80));
      assertEquals(text.replace('▁', ' '), tokenizer.decode(tokenizer.contentIds(text)));
    }
  }

  @Test
  void marksAndPaddingDecodeToNothingAndSpecialTokensToTheirSpelling() {
    assertEquals("", tokenizer.decode(new int[0]));
    assertEquals("", tokenizer.decode(new int[] {0, 1, 2, 0}));
    int[] ids = tokenizer.encode("a cat", 20).inputIds();
    assertEquals("[gMASK]sop a cat", tokenizer.decode(ids));
  }

  @Test
  void brokenBytesDecodeToOneReplacementEach() {
    int[] ids =
        IntStream.of(0x41, 0xE4, 0xB8, 0xF0, 0x9F, 0x98, 0x80, 0xC0, 0x80, 0xED, 0xA0, 0x80)
            .map(b -> tokenizer.id("<0x%02X>".formatted(b)).orElseThrow())
            .toArray();
    assertEquals("A\uFFFD\uFFFD😀" + "\uFFFD".repeat(5), tokenizer.decode(ids));
  }

  @Test
  void theVocabularyIsThePiecesThenTheSpecialTokens() {
    assertEquals(2048, tokenizer.vocabularySize());
    assertEquals("<unk>", tokenizer.token(0));
    assertEquals("<0x0A>", tokenizer.token(13));
    assertEquals("[MASK]", tokenizer.token(2039));
    assertEquals("<|observation|>", tokenizer.token(2047));
    assertEquals(OptionalInt.of(2042), tokenizer.id("sop"));
    assertEquals(OptionalInt.empty(), tokenizer.id("no such token"));
    assertEquals(OptionalInt.empty(), tokenizer.id(""));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 2048, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void anIdOutsideTheVocabularyIsRefused(int id) {
    assertThrows(IllegalArgumentException.class, () -> tokenizer.token(id));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {5, id}));
    assertEquals(
        "[tokenizer] id " + id + " is not in the vocabulary of 2048 tokens", e.getMessage());
  }

  @Test
  void aMissingDirectoryOrModelIsNamed(@TempDir Path directory) {
    Path missing = directory.resolve("nowhere");
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ChatGlmTokenizer.load(missing));
    assertEquals("[tokenizer] " + missing + ": no such directory", e.getMessage());
    e = assertThrows(InvalidFileException.class, () -> ChatGlmTokenizer.load(directory));
    String file = directory.resolve("tokenizer.model").toString();
    assertTrue(e.getMessage().startsWith("[tokenizer] " + file + ": no such file"), e.getMessage());
  }

  @Test
  void anEmptyModelFileIsNamed(@TempDir Path directory) throws IOException {
    Files.createFile(directory.resolve("tokenizer.model"));
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> ChatGlmTokenizer.load(directory));
    assertTrue(e.getMessage().contains("tokenizer.model: the file is empty"), e.getMessage());
  }

  @Test
  void manyThreadsGetTheSameIds() throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    List<String> texts =
        IntStream.range(0, 200).mapToObj(_ -> randomText(random, random.nextInt(300))).toList();
    List<TokenizedPrompt> expected = texts.stream().map(t -> tokenizer.encode(t, 256)).toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<List<TokenizedPrompt>>> results = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        results.add(
            threads.submit(() -> texts.stream().map(t -> tokenizer.encode(t, 256)).toList()));
      }
      for (Future<List<TokenizedPrompt>> result : results) {
        assertEquals(expected, result.get());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "长", "background ", "\n", "ab 中😀", "▁"})
  void aMillionCharactersTakeSeconds(String unit) {
    String text = unit.repeat(1_000_000 / unit.length());
    assertTimeout(
        Duration.ofSeconds(20),
        () -> {
          int[] ids = tokenizer.contentIds(text);
          assertEquals(text.replace('▁', ' '), tokenizer.decode(ids));
        });
  }

  @Test
  void promptsAreValues() {
    TokenizedPrompt prompt = tokenizer.encode(LADYBUG, 8);
    TokenizedPrompt same = tokenizer.encode(LADYBUG, 8);
    assertEquals(prompt, same);
    assertEquals(prompt.hashCode(), same.hashCode());
    assertEquals(prompt.toString(), same.toString());
    assertNotEquals(prompt, tokenizer.encode(LADYBUG, 9));
    assertNotEquals(prompt, tokenizer.encode("a", 8));
    prompt.inputIds()[0] = 99;
    prompt.attentionMask()[0] = 99;
    prompt.positionIds()[0] = 99;
    assertEquals(same, prompt);
    assertThrows(
        IllegalArgumentException.class,
        () -> new TokenizedPrompt(new int[2], new int[1], new int[2], 0, ""));
  }

  private static String randomText(SplittableRandom random, int length) {
    StringBuilder text = new StringBuilder();
    String[] some = {" ", "  ", "▁", "\n", "\0", "background", "背景", "sop", "<|user|>"};
    while (text.length() < length) {
      if (random.nextInt(4) == 0) {
        text.append(some[random.nextInt(some.length)]);
      } else {
        int codePoint = random.nextInt(random.nextBoolean() ? 0x80 : Character.MAX_CODE_POINT + 1);
        boolean surrogate = codePoint >= 0xD800 && codePoint < 0xE000;
        text.appendCodePoint(surrogate ? '中' : codePoint);
      }
    }
    return text.toString();
  }
}
