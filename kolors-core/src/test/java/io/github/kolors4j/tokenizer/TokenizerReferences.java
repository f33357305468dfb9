package io.github.kolors4j.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;

/** What {@code fixtures/make_tokenizer_fixtures.py} wrote down from the real class. */
final class TokenizerReferences {
  private static final Path RESOURCES = Path.of("src", "test", "resources", "tokenizer");

  /** The tokenizer of the mini checkpoint. */
  static final Path MINI = RESOURCES.resolve("mini");

  /** The published tokenizer, which is not ours to ship: beside the project on some machines. */
  static final Path PUBLISHED = Path.of("..", "..", "shared", "chatglm3-tokenizer");

  private TokenizerReferences() {}

  static JsonObject battery() throws IOException {
    return read("battery.json.gz");
  }

  static JsonArray smallModels() throws IOException {
    return read("models.json.gz").getAsJsonArray("models");
  }

  private static JsonObject read(String name) throws IOException {
    try (Reader reader =
        new InputStreamReader(
            new GZIPInputStream(Files.newInputStream(RESOURCES.resolve(name))), UTF_8)) {
      return JsonParser.parseReader(reader).getAsJsonObject();
    }
  }

  static int[] ints(JsonElement array) {
    return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
        .mapToInt(JsonElement::getAsInt)
        .toArray();
  }

  /** The digest by which the references know a padded prompt. */
  static String digest(TokenizedPrompt prompt) {
    ByteBuffer bytes =
        ByteBuffer.allocate(3 * Integer.BYTES * prompt.length()).order(ByteOrder.LITTLE_ENDIAN);
    for (int[] array :
        new int[][] {prompt.inputIds(), prompt.attentionMask(), prompt.positionIds()}) {
      for (int value : array) {
        bytes.putInt(value);
      }
    }
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes.array());
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
