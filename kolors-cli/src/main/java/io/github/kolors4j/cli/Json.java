package io.github.kolors4j.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;

/** JSON for standard output: one line, with the letters as they are. */
final class Json {
  private static final Gson GSON =
      new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

  private Json() {}

  static String line(JsonElement element) {
    return GSON.toJson(element);
  }

  static JsonElement of(Object value) {
    return GSON.toJsonTree(value);
  }
}
