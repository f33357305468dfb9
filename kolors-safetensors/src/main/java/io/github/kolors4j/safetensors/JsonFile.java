package io.github.kolors4j.safetensors;

import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A small JSON file of a checkpoint, as a configuration: it is one object, and each of its faults
 * is a sentence that names it.
 *
 * @param part what messages begin with, as {@code config}
 * @param name what messages call the file, as {@code unet/config.json}
 */
public record JsonFile(String part, String name) {
  /** Most bytes that a configuration may have; real ones have some 2,000. */
  public static final int MAX_CONFIG_BYTES = 1 << 20;

  /**
   * Reads a file's text.
   *
   * @param path the file
   * @param maxBytes the most that it may have
   * @return its text
   * @throws InvalidFileException if it is missing, larger, not UTF-8, or cannot be read
   */
  public String text(Path path, int maxBytes) throws InvalidFileException {
    try {
      byte[] utf8 = SmallFile.read(path, maxBytes);
      if (utf8.length > maxBytes) {
        throw fault(
            String.format(
                Locale.ROOT,
                "has %,d bytes: a configuration has at most %,d.",
                Files.size(path),
                maxBytes));
      }
      if (GitLfsPointer.matches(utf8)) {
        throw fault(GitLfsPointer.FAULT);
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (InvalidFileException e) {
      throw e;
    } catch (NoSuchFileException e) {
      throw fault(
          "there is no such file in "
              + path.toAbsolutePath().getParent()
              + ". Incomplete download?",
          e);
    } catch (CharacterCodingException e) {
      throw fault("is not UTF-8 text. Corrupt?", e);
    } catch (IOException e) {
      throw fault("cannot be read (" + SafetensorsException.reason(e) + ").", e);
    }
  }

  /**
   * Reads the object that a text is.
   *
   * @param text the file's
   * @return its values in order, as {@link JsonReader#value} gives them
   * @throws InvalidFileException if it is not one JSON object, by the strict grammar and without a
   *     key twice
   */
  public Map<String, Object> object(String text) throws InvalidFileException {
    return object(text, UnaryOperator.identity());
  }

  /**
   * Reads the object that a text is, by a grammar that is not quite JSON's.
   *
   * @param text the file's
   * @param dialect as {@link JsonReader#withInfinity}
   * @return its values in order, as {@link JsonReader#value} gives them
   * @throws InvalidFileException if it is not one object, by the grammar and without a key twice
   */
  public Map<String, Object> object(String text, UnaryOperator<JsonReader> dialect)
      throws InvalidFileException {
    try {
      JsonReader json = dialect.apply(JsonReader.of(text));
      Map<String, Object> values = json.object();
      json.end();
      return values;
    } catch (JsonException e) {
      throw fault(e.reason() + (e.incomplete() ? " Incomplete download?" : ""), e);
    }
  }

  /**
   * A fault of this file.
   *
   * @param what what is wrong
   * @return the exception, to be thrown
   */
  public InvalidFileException fault(String what) {
    return new InvalidFileException(message(what));
  }

  private InvalidFileException fault(String what, Throwable cause) {
    return new InvalidFileException(message(what), cause);
  }

  private String message(String what) {
    return "[" + part + "] " + name + ": " + what;
  }
}
