package io.github.kolors4j.tokenizer;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What {@code tokenizer_config.json} may change. Keys without an effect on ids or text are not
 * looked at; a value that would change them in a way that is not supported is refused.
 *
 * @param encodeSpecialTokens whether the spelling of a role token in a text stands for the token
 */
record TokenizerConfig(boolean encodeSpecialTokens) {
  private static final long LARGEST_FILE = 16L << 20;

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
    JsonObject config = read(file);
    require(file, config, "tokenizer_class", "\"ChatGLMTokenizer\"");
    require(file, config, "padding_side", "\"left\"");
    require(file, config, "truncation_side", "\"right\"");
    require(file, config, "clean_up_tokenization_spaces", "false");
    for (String key : TOKEN_KEYS) {
      requireNoTokens(file, config, key);
    }
    return new TokenizerConfig(flag(file, config, "encode_special_tokens"));
  }

  /** Checks the two files that older versions of transformers put tokens into. */
  private static void refuseTokens(Path file, boolean everyKey) throws IOException {
    if (Files.exists(file)) {
      JsonObject tokens = read(file);
      for (String key : everyKey ? tokens.keySet() : TOKEN_KEYS) {
        requireNoTokens(file, tokens, key);
      }
    }
  }

  private static JsonObject read(Path file) throws IOException {
    if (Files.size(file) > LARGEST_FILE) {
      throw new InvalidFileException(
          "[tokenizer] " + file + ": " + Files.size(file) + " bytes are too many for a config");
    }
    JsonReader reader;
    try {
      reader = new JsonReader(new StringReader(Files.readString(file)));
    } catch (CharacterCodingException e) {
      throw new InvalidFileException("[tokenizer] " + file + ": not UTF-8", e);
    }
    reader.setStrictness(Strictness.STRICT);
    try {
      JsonElement root = JsonParser.parseReader(reader);
      if (!root.isJsonObject()) {
        throw new InvalidFileException("[tokenizer] " + file + ": a JSON object is expected");
      }
      JsonToken _ = reader.peek(); // the end, or a fault
      return root.getAsJsonObject();
    } catch (JsonParseException | IOException e) {
      if (e instanceof InvalidFileException known) {
        throw known;
      }
      throw new InvalidFileException(
          "[tokenizer] " + file + ": not valid JSON. Incomplete download?", e);
    }
  }

  private static void require(Path file, JsonObject config, String key, String only)
      throws InvalidFileException {
    JsonElement value = config.get(key);
    if (value != null && !value.toString().equals(only)) {
      throw unsupported(file, key, value, "only " + only + " is supported");
    }
  }

  private static void requireNoTokens(Path file, JsonObject config, String key)
      throws InvalidFileException {
    JsonElement value = config.get(key);
    boolean none =
        value == null
            || value.isJsonNull()
            || (value.isJsonArray() && value.getAsJsonArray().isEmpty())
            || (value.isJsonObject() && value.getAsJsonObject().isEmpty());
    if (!none) {
      throw unsupported(file, key, value, "tokens besides ChatGLM's own are not supported");
    }
  }

  private static boolean flag(Path file, JsonObject config, String key)
      throws InvalidFileException {
    JsonElement value = config.get(key);
    if (value == null) {
      return false;
    }
    return switch (value.toString()) {
      case "true" -> true;
      case "false" -> false;
      default -> throw unsupported(file, key, value, "true or false is expected");
    };
  }

  private static InvalidFileException unsupported(
      Path file, String key, JsonElement value, String rule) {
    return new InvalidFileException(
        "[tokenizer] " + file + ": " + key + " is " + value + "; " + rule + ".");
  }
}
