package io.github.kolors4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ids, masks, positions and texts against those of diffusers' own class. */
class ChatGlmTokenizerReferenceTest {
  private static JsonObject battery;
  private static List<String> texts;

  /** The two vocabularies with references. */
  enum Vocabulary {
    MINI(TokenizerReferences.MINI),
    PUBLISHED(TokenizerReferences.PUBLISHED);

    private final Path directory;

    Vocabulary(Path directory) {
      this.directory = directory;
    }

    Path directory() {
      assumeTrue(Files.isDirectory(directory), directory + " is not on this machine");
      return directory;
    }

    ChatGlmTokenizer load() throws IOException {
      return ChatGlmTokenizer.load(directory());
    }

    JsonObject references() {
      return battery.getAsJsonObject(name().toLowerCase(Locale.ROOT));
    }

    JsonArray references(String key) {
      return references().getAsJsonArray(key);
    }
  }

  @BeforeAll
  static void readReferences() throws IOException {
    battery = TokenizerReferences.battery();
    texts = strings(battery.getAsJsonArray("texts")).toList();
  }

  @Test
  void theBatteryHasEnoughAwkwardAndRandomTexts() {
    int awkward = battery.get("awkward").getAsInt();
    assertTrue(awkward >= 320, () -> awkward + " awkward texts");
    assertTrue(texts.size() - awkward >= 500, () -> texts.size() - awkward + " random texts");
  }

  @ParameterizedTest
  @EnumSource
  void idsAreThoseOfDiffusers(Vocabulary vocabulary) throws IOException {
    ChatGlmTokenizer tokenizer = vocabulary.load();
    assertAll(
        IntStream.range(0, texts.size())
            .mapToObj(
                i ->
                    () ->
                        assertArrayEquals(
                            TokenizerReferences.ints(row(vocabulary, i).get("ids")),
                            tokenizer.contentIds(texts.get(i)),
                            () -> describe(i))));
  }

  @ParameterizedTest
  @EnumSource
  void promptsOf256AreThoseOfDiffusers(Vocabulary vocabulary) throws IOException {
    ChatGlmTokenizer tokenizer = vocabulary.load();
    assertAll(
        IntStream.range(0, texts.size())
            .mapToObj(
                i ->
                    () -> {
                      TokenizedPrompt prompt = tokenizer.encode(texts.get(i), 256);
                      JsonObject row = row(vocabulary, i);
                      assertEquals(
                          row.get("padded").getAsString(),
                          TokenizerReferences.digest(prompt),
                          () -> describe(i));
                      String lost = row.has("lost") ? row.get("lost").getAsString() : "";
                      assertEquals(lost, prompt.lost(), () -> describe(i));
                      int lostTokens = Math.max(0, row.getAsJsonArray("ids").size() - 254);
                      assertEquals(lostTokens, prompt.lostTokens(), () -> describe(i));
                    }));
  }

  @ParameterizedTest
  @EnumSource
  void promptsOfOtherLengthsAreThoseOfDiffusers(Vocabulary vocabulary) throws IOException {
    ChatGlmTokenizer tokenizer = vocabulary.load();
    for (JsonElement element : vocabulary.references("padded")) {
      JsonArray row = element.getAsJsonArray();
      int maxLength = row.get(1).getAsInt();
      TokenizedPrompt prompt = tokenizer.encode(row.get(0).getAsString(), maxLength);
      String message = "maxLength " + maxLength + " of " + row.get(0);
      assertArrayEquals(TokenizerReferences.ints(row.get(2)), prompt.inputIds(), message);
      assertArrayEquals(TokenizerReferences.ints(row.get(3)), prompt.attentionMask(), message);
      assertArrayEquals(TokenizerReferences.ints(row.get(4)), prompt.positionIds(), message);
    }
  }

  @ParameterizedTest
  @EnumSource
  void textsComeBackAsDiffusersDecodesThem(Vocabulary vocabulary) throws IOException {
    ChatGlmTokenizer tokenizer = vocabulary.load();
    assertAll(
        IntStream.range(0, texts.size())
            .mapToObj(
                i ->
                    () -> {
                      JsonObject row = row(vocabulary, i);
                      String expected =
                          row.has("decoded") ? row.get("decoded").getAsString() : texts.get(i);
                      int[] ids = TokenizerReferences.ints(row.get("ids"));
                      assertEquals(expected, tokenizer.decode(ids), () -> describe(i));
                    }));
  }

  @ParameterizedTest
  @EnumSource
  void idsInAnyOrderDecodeAsInDiffusers(Vocabulary vocabulary) throws IOException {
    ChatGlmTokenizer tokenizer = vocabulary.load();
    for (JsonElement element : vocabulary.references("decode")) {
      JsonArray row = element.getAsJsonArray();
      assertEquals(
          row.get(1).getAsString(),
          tokenizer.decode(TokenizerReferences.ints(row.get(0))),
          () -> "ids " + row.get(0));
    }
  }

  @ParameterizedTest
  @EnumSource
  void roleTokensStandForThemselvesWhereTheConfigSaysSo(
      Vocabulary vocabulary, @TempDir Path directory) throws IOException {
    Files.copy(
        vocabulary.directory().resolve("tokenizer.model"), directory.resolve("tokenizer.model"));
    Files.writeString(
        directory.resolve("tokenizer_config.json"), "{\"encode_special_tokens\": true}");
    ChatGlmTokenizer tokenizer = ChatGlmTokenizer.load(directory);
    for (JsonElement element : vocabulary.references("roles")) {
      int i = element.getAsJsonArray().get(0).getAsInt();
      int[] ids = TokenizerReferences.ints(element.getAsJsonArray().get(1));
      assertArrayEquals(ids, tokenizer.contentIds(texts.get(i)), () -> describe(i));
    }
  }

  @ParameterizedTest
  @EnumSource
  void theVocabularyIsThatOfDiffusers(Vocabulary vocabulary) throws IOException {
    ChatGlmTokenizer tokenizer = vocabulary.load();
    int size = vocabulary.references().get("vocabulary").getAsInt();
    assertEquals(size, tokenizer.vocabularySize());
    for (int id = 0; id < size; id++) {
      assertEquals(id, tokenizer.id(tokenizer.token(id)).orElseThrow());
    }
  }

  /** Unused and user-defined pieces, unknown runs, ties and all flags, in random combination. */
  @Test
  void smallModelsWithEveryFlagGiveTheIdsAndTextsOfDiffusers(@TempDir Path directory)
      throws IOException {
    JsonArray models = TokenizerReferences.smallModels();
    for (int m = 0; m < models.size(); m++) {
      JsonObject model = models.get(m).getAsJsonObject();
      Files.write(
          directory.resolve("tokenizer.model"),
          Base64.getDecoder().decode(model.get("model").getAsString()));
      ChatGlmTokenizer tokenizer = ChatGlmTokenizer.load(directory);
      for (JsonElement element : model.getAsJsonArray("texts")) {
        JsonArray row = element.getAsJsonArray();
        String message = "model " + m + ", text " + row.get(0);
        int[] ids = TokenizerReferences.ints(row.get(1));
        assertArrayEquals(ids, tokenizer.contentIds(row.get(0).getAsString()), message);
        assertEquals(row.get(2).getAsString(), tokenizer.decode(ids), message);
        int[] shuffled = TokenizerReferences.ints(row.get(3));
        assertEquals(row.get(4).getAsString(), tokenizer.decode(shuffled), message);
      }
    }
  }

  private static JsonObject row(Vocabulary vocabulary, int i) {
    return vocabulary.references("texts").get(i).getAsJsonObject();
  }

  private static String describe(int i) {
    String text = texts.get(i);
    return "text %d: \"%s\"".formatted(i, text.substring(0, Math.min(80, text.length())));
  }

  private static Stream<String> strings(JsonArray array) {
    return array.asList().stream().map(JsonElement::getAsString);
  }
}
