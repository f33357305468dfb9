package io.github.kolors4j.metadata;

import io.github.kolors4j.safetensors.json.JsonNumber;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The values of a JSON object, each of which must be there. */
record MetadataValues(String path, Map<String, Object> values) {

  Set<String> keys() {
    return values.keySet();
  }

  MetadataValues object(String key) {
    if (values.get(key) instanceof Map<?, ?> map) {
      Map<String, Object> object = new LinkedHashMap<>();
      map.forEach((name, value) -> object.put(String.valueOf(name), value));
      return new MetadataValues(path + key + ".", object);
    }
    throw fault(key, "an object");
  }

  String text(String key) {
    if (values.get(key) instanceof String text) {
      return text;
    }
    throw fault(key, "text");
  }

  int integer(String key) {
    if (values.get(key) instanceof JsonNumber number && number.isInteger()) {
      return number.intValue();
    }
    throw fault(key, "a whole number");
  }

  private IllegalArgumentException fault(String key, String needed) {
    @Nullable Object value = values.get(key);
    return new IllegalArgumentException(
        "[metadata] %s%s is %s: it must be %s."
            .formatted(path, key, value == null ? "not there" : "something else", needed));
  }
}
