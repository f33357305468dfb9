package io.github.kolors4j.tokenizer;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.JsonFile;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What {@code tokenizer_config.json} may change. Keys without an effect on ids or text are not
 * looked at; a value that would change them in a way that is not supported is refused.
 *
 * @param encodeSpecialTokens whether the spelling of a role token in a text stands for the token
 */
record TokenizerConfig(boolean encodeSpecialTokens) {
  private static final int LARGEST_FILE = 16 << 20;

  /** Tokens that transformers would cut out of every text, under ids behind the vocabulary. */
  private static final List<String> TOKEN_KEYS =
      List.of(
          "added_tokens_decoder",
          "additional_special_tokens",
          "extra_special_tokens",
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  /**
   * Reads the config of a tokenizer directory; without one the defaults hold.
   *
   * @throws InvalidFileException if it is broken or asks for what is not supported
   */
  static TokenizerConfig load(Path directory) throws IOException {
    refuseTokens(directory.resolve("added_tokens.json"), true);
    refuseTokens(directory.resolve("special_tokens_map.json"), false);
    Path file = directory.resolve("tokenizer_config.json");
    if (!Files.exists(file)) {
      return new TokenizerConfig(false);
    }
    Map<String, Object> config = read(file);
    require(file, config, "tokenizer_class", "ChatGLMTokenizer");
    require(file, config, "padding_side", "left");
    require(file, config, "truncation_side", "right");
    require(file, config, "clean_up_tokenization_spaces", false);
    for (String key : TOKEN_KEYS) {
      requireNoTokens(file, config, key);
    }
    return new TokenizerConfig(flag(file, config, "encode_special_tokens"));
  }

  /** Checks the two files that older versions of transformers put tokens into. */
  private static void refuseTokens(Path file, boolean everyKey) throws IOException {
    if (Files.exists(file)) {
      Map<String, Object> tokens = read(file);
      for (String key : everyKey ? tokens.keySet() : TOKEN_KEYS) {
        requireNoTokens(file, tokens, key);
      }
    }
  }

  private static Map<String, Object> read(Path path) throws InvalidFileException {
    JsonFile file = file(path);
    return file.object(file.text(path, LARGEST_FILE));
  }

  private static JsonFile file(Path path) {
    return new JsonFile("tokenizer", path.toString());
  }

  /** Refuses every value of a key but one; the key may be absent. */
  private static void require(Path file, Map<String, Object> config, String key, Object only)
      throws InvalidFileException {
    if (config.containsKey(key) && !only.equals(config.get(key))) {
      throw unsupported(
          file, config, key, "only " + JsonWriter.abbreviated(only) + " is supported");
    }
  }

  private static void requireNoTokens(Path file, Map<String, Object> config, String key)
      throws InvalidFileException {
    switch (config.get(key)) {
      case null -> {}
      case List<?> list when list.isEmpty() -> {}
      case Map<?, ?> map when map.isEmpty() -> {}
      default ->
          throw unsupported(file, config, key, "tokens besides ChatGLM's own are not supported");
    }
  }

  private static boolean flag(Path file, Map<String, Object> config, String key)
      throws InvalidFileException {
    if (!config.containsKey(key)) {
      return false;
    }
    if (config.get(key) instanceof Boolean flag) {
      return flag;
    }
    throw unsupported(file, config, key, "true or false is expected");
  }

  private static InvalidFileException unsupported(
      Path file, Map<String, Object> config, String key, String rule) {
    return file(file)
        .fault(shown(key) + " is " + JsonWriter.abbreviated(config.get(key)) + "; " + rule + ".");
  }

  /** A key, which may be any text where every key is looked at. */
  private static String shown(String key) {
    return key.matches("\\P{Cc}{1,40}") ? key : JsonWriter.abbreviated(key);
  }
}
