package io.github.kolors4j.scheduler;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * JSON as Python's {@code json} module reads and writes it, which knows {@code Infinity}, as plain
 * Java values: {@code Boolean}, {@code Long}, {@code Double}, {@code String}, {@code List}, {@code
 * Map} and null.
 */
final class Json {
  /** {@code Infinity} in standard JSON; just as long, so that positions in messages stay true. */
  private static final String INFINITY = "1e999999";

  private Json() {}

  /** Reads one value; the exception's message gives the position. */
  static @Nullable Object read(String text) throws JsonParseException {
    try (JsonReader reader = new JsonReader(new StringReader(withoutInfinity(text)))) {
      reader.setStrictness(Strictness.STRICT);
      if (text.isBlank()) {
        throw new JsonParseException("empty at line 1 column 1");
      }
      Object value = plain(JsonParser.parseReader(reader));
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new JsonParseException("more text after the value");
      }
      return value;
    } catch (IOException e) {
      throw new JsonParseException(e.getMessage(), e);
    }
  }

  private static String withoutInfinity(String text) {
    StringBuilder changed = new StringBuilder(text);
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      switch (text.charAt(i)) {
        case '"' -> quoted = !quoted;
        case '\\' -> i++;
        case 'I' -> {
          if (!quoted && text.startsWith("Infinity", i)) {
            changed.replace(i, i + INFINITY.length(), INFINITY);
          }
        }
        default -> {}
      }
    }
    return changed.toString();
  }

  private static @Nullable Object plain(JsonElement element) {
    if (element.isJsonNull()) {
      return null;
    }
    if (element.isJsonArray()) {
      List<Object> list = new ArrayList<>();
      element.getAsJsonArray().forEach(item -> list.add(plain(item)));
      return list;
    }
    if (element.isJsonObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      element.getAsJsonObject().asMap().forEach((key, value) -> map.put(key, plain(value)));
      return map;
    }
    JsonPrimitive primitive = element.getAsJsonPrimitive();
    if (primitive.isBoolean()) {
      return primitive.getAsBoolean();
    }
    if (primitive.isString()) {
      return primitive.getAsString();
    }
    try {
      return Long.valueOf(primitive.getAsString());
    } catch (NumberFormatException notWhole) {
      return primitive.getAsDouble();
    }
  }

  static String write(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case String text -> new JsonPrimitive(text).toString();
      case List<?> list ->
          list.stream().map(Json::write).collect(Collectors.joining(", ", "[", "]"));
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> write(entry.getKey()) + ": " + write(entry.getValue()))
              .collect(Collectors.joining(", ", "{", "}"));
      default -> value.toString();
    };
  }
}
