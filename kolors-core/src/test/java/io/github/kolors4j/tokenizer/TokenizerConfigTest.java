package io.github.kolors4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code tokenizer_config.json}: what it may say. */
class TokenizerConfigTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      textBlock =
          """
          {"padding_side": "right"}                 | padding_side is "right"; only "left"
          {"padding_side": 3}                       | padding_side is 3; only "left"
          {"padding_side": null}                    | padding_side is null; only "left"
          {"truncation_side": "left"}               | truncation_side is "left"; only "right"
          {"tokenizer_class": "CLIPTokenizer"}      | tokenizer_class is "CLIPTokenizer"; only
          {"clean_up_tokenization_spaces": true}    | clean_up_tokenization_spaces is true; only
          {"encode_special_tokens": "yes"}          | encode_special_tokens is "yes"; true or false
          {"encode_special_tokens": 1}              | encode_special_tokens is 1; true or false
          {"added_tokens_decoder": {"5": {}}}       | added_tokens_decoder is {"5": {}}; tokens besides
          {"additional_special_tokens": ["x"]}      | additional_special_tokens is ["x"]; tokens
          {"extra_special_tokens": {"a": "x"}}      | extra_special_tokens is {"a": "x"}; tokens
          {"eos_token": "</s>"}                     | eos_token is "</s>"; tokens besides
          {"unk_token": {"content": "<unk>"}}       | unk_token is {"content": "<unk>"}; tokens
          {"bos_token": "<s>"}                      | bos_token is "<s>"; tokens besides
          {"pad_token": "<unk>"}                    | pad_token is "<unk>"; tokens besides
          """)
  void aValueThatIsNotSupportedIsRefusedWithFileKeyAndValue(String json, String what)
      throws IOException {
    assertRefused("tokenizer_config.json", json, what);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"a\": 1} x", "{a: 1}", "{\"a\": 1,}", "{\"a\": tru}"})
  void whatIsNoJsonIsRefused(String json) throws IOException {
    assertRefused("tokenizer_config.json", json, "is not valid JSON at line 1 column ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "{", "{\"a\": [1"})
  void whatEndsTooEarlyIsRefused(String json) throws IOException {
    assertRefused(
        "tokenizer_config.json",
        json,
        "ends in the middle, at line 1 column " + (json.length() + 1) + ". Incomplete download?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      textBlock =
          """
          []     | an array
          3      | a number
          null   | null
          "left" | a string
          """)
  void whatIsNoObjectIsRefused(String json, String kind) throws IOException {
    assertRefused(
        "tokenizer_config.json", json, "has " + kind + " at \"$\" where an object belongs.");
  }

  @Test
  void deepNestingIsRefused() throws IOException {
    assertRefused(
        "tokenizer_config.json",
        "{\"a\":" + "[".repeat(1_000_000),
        "is nested deeper than 64 levels, at line 1 column 69.");
  }

  @Test
  void whatIsNotUtf8IsRefused() throws IOException {
    Files.write(directory.resolve("tokenizer_config.json"), new byte[] {'{', -1, '}'});
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> TokenizerConfig.load(directory));
    assertTrue(
        e.getMessage().endsWith("tokenizer_config.json: is not UTF-8 text. Corrupt?"),
        e.getMessage());
  }

  @Test
  void theFilesOfOlderVersionsMayNotAddTokensEither() throws IOException {
    assertRefused("added_tokens.json", "{\"<|new|>\": 64798}", "<|new|> is 64798; tokens besides");
    Files.writeString(directory.resolve("added_tokens.json"), "{}");
    assertRefused("special_tokens_map.json", "{\"eos_token\": \"</s>\"}", "eos_token is \"</s>\"");
    Files.writeString(directory.resolve("special_tokens_map.json"), "{\"x\": \"no token\"}");
    assertFalse(TokenizerConfig.load(directory).encodeSpecialTokens());
  }

  @Test
  void withoutAConfigTheDefaultsHold() throws IOException {
    assertFalse(TokenizerConfig.load(directory).encodeSpecialTokens());
  }

  @Test
  void keysWithoutEffectAreNotLookedAt() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        """
        {"do_lower_case": true, "remove_space": true, "model_max_length": 5, "backend": "custom",
         "eos_token": null, "additional_special_tokens": [], "added_tokens_decoder": {},
         "encode_special_tokens": true}
        """);
    assertTrue(TokenizerConfig.load(directory).encodeSpecialTokens());
  }

  private void assertRefused(String name, String json, String what) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, json);
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> TokenizerConfig.load(directory));
    assertTrue(e.getMessage().startsWith("[tokenizer] " + file + ": " + what), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }
}
