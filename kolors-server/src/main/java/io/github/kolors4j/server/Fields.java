package io.github.kolors4j.server;

import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonNumber;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.jetty.http.MultiPart;
import org.eclipse.jetty.http.MultiPartConfig;
import org.eclipse.jetty.http.MultiPartFormData;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Attributes;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a request, from JSON or from a form. Each is taken out by the name that it may
 * have, so that what is left at the end is unknown. A field of {@code null} is as good as none.
 */
final class Fields {
  private static final int MOST_PARTS = 100;

  /**
   * A value: of JSON as the reader gives it, of a form text or bytes, several of one name a list.
   */
  private final Map<String, Object> left;

  private Fields(Map<String, Object> left) {
    this.left = left;
  }

  /** A JSON object. */
  static Fields ofJson(byte[] body) {
    try {
      JsonReader reader = JsonReader.of(body);
      Map<String, Object> object = reader.object();
      reader.end();
      Map<String, Object> present = new LinkedHashMap<>();
      object.forEach(
          (key, value) -> {
            if (value != null) {
              present.put(key, value);
            }
          });
      return new Fields(present);
    } catch (JsonException e) {
      throw ApiException.badRequest("[request] the JSON " + e.reason());
    }
  }

  /** A form with files: multipart/form-data. */
  static Fields ofForm(String contentType, byte[] body) {
    MultiPartConfig config =
        new MultiPartConfig.Builder()
            .maxParts(MOST_PARTS)
            .maxSize(-1)
            .maxPartSize(-1)
            .maxMemoryPartSize(-1) // never on disk
            .build();
    Map<String, Object> fields = new LinkedHashMap<>();
    Content.Source source = Content.Source.from(ByteBuffer.wrap(body));
    try (MultiPartFormData.Parts parts =
        MultiPartFormData.getParts(source, new Attributes.Mapped(), contentType, config)) {
      for (MultiPart.Part part : parts) {
        String name = String.valueOf(part.getName()).replaceFirst("\\[\\d*]$", "");
        byte[] bytes = bytes(part);
        boolean file = part.getFileName() != null || isPicture(name);
        Object value = file ? bytes : utf8(name, bytes);
        fields.merge(name, value, Fields::both);
      }
    } catch (ApiException e) {
      throw e;
    } catch (Exception e) {
      throw ApiException.badRequest(
          "[request] the form cannot be read: it is not multipart/form-data as RFC 7578 has it.");
    }
    return new Fields(fields);
  }

  /** A client may leave out the name of a file. */
  private static boolean isPicture(String name) {
    return name.equals("image") || name.equals("mask") || name.equals("mask_image");
  }

  private static byte[] bytes(MultiPart.Part part) throws Exception {
    ByteBuffer content = Content.Source.asByteBuffer(part.getContentSource());
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    return bytes;
  }

  private static String utf8(String name, byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw ApiException.field(name, "[request] %s is not UTF-8.".formatted(name));
    }
  }

  private static Object both(Object one, Object other) {
    if (one instanceof List<?> several) {
      return Stream.concat(several.stream(), Stream.of(other)).toList();
    }
    return List.of(one, other);
  }

  /** The value under one of several names; two of them contradict each other. */
  private @Nullable Named take(String... names) {
    Named found = null;
    for (String name : names) {
      Object value = left.remove(name);
      if (value != null) {
        if (found != null) {
          throw ApiException.field(
              name,
              "[request] both %s and %s: they are one thing, give one of them."
                  .formatted(found.name, name));
        }
        found = new Named(name, value);
      }
    }
    return found;
  }

  private record Named(String name, Object value) {
    ApiException fault(String expected) {
      String shown = value instanceof byte[] ? "a file" : JsonWriter.abbreviated(value);
      return ApiException.field(
          name, "[request] %s is %s: use %s.".formatted(name, shown, expected));
    }
  }

  /** Any value. */
  Optional<Object> any(String... names) {
    return Optional.ofNullable(take(names)).map(Named::value);
  }

  Optional<String> text(String... names) {
    Named named = take(names);
    if (named == null) {
      return Optional.empty();
    }
    if (named.value instanceof String text) {
      return Optional.of(text);
    }
    throw named.fault("a text");
  }

  /** One of some words; they differ in capitals alone from what they mean. */
  Optional<String> word(String name, List<String> words) {
    Named named = take(name);
    if (named == null) {
      return Optional.empty();
    }
    if (named.value instanceof String text && words.contains(text)) {
      return Optional.of(text);
    }
    throw named.fault("one of " + String.join(", ", words));
  }

  Optional<Boolean> flag(String name) {
    Named named = take(name);
    if (named == null) {
      return Optional.empty();
    }
    return switch (named.value) {
      case Boolean flag -> Optional.of(flag);
      case JsonNumber number when number.toString().equals("1") -> Optional.of(true);
      case JsonNumber number when number.toString().equals("0") -> Optional.of(false);
      case String text when text.equalsIgnoreCase("true") -> Optional.of(true);
      case String text when text.equalsIgnoreCase("false") -> Optional.of(false);
      default -> throw named.fault("true or false");
    };
  }

  OptionalInt integer(String... names) {
    Named named = take(names);
    if (named == null) {
      return OptionalInt.empty();
    }
    try {
      double value = decimal(named.value);
      if (value == Math.rint(value) && Math.abs(value) <= Integer.MAX_VALUE) {
        return OptionalInt.of((int) value);
      }
    } catch (NumberFormatException _) {
      // said below
    }
    throw named.fault("a whole number");
  }

  OptionalDouble number(String... names) {
    Named named = take(names);
    if (named == null) {
      return OptionalDouble.empty();
    }
    try {
      double value = decimal(named.value);
      if (Double.isFinite(value)) {
        return OptionalDouble.of(value);
      }
    } catch (NumberFormatException _) {
      // said below
    }
    throw named.fault("a number");
  }

  private static double decimal(Object value) {
    return switch (value) {
      case JsonNumber number -> number.doubleValue();
      case String text -> Double.parseDouble(text.strip());
      default -> throw new NumberFormatException();
    };
  }

  /** Seeds of 64 bits without a sign, one or several; -1 and none mean a random one. */
  List<Long> seeds(String name) {
    Named named = take(name);
    if (named == null) {
      return List.of();
    }
    List<?> values = named.value instanceof List<?> list ? list : List.of(named.value);
    if (values.size() == 1 && "-1".equals(digits(values.getFirst()))) {
      return List.of();
    }
    try {
      return values.stream().map(value -> Long.parseUnsignedLong(digits(value))).toList();
    } catch (NumberFormatException _) {
      throw named.fault("0 to 18446744073709551615, one for all or one an image, or -1");
    }
  }

  private static String digits(@Nullable Object value) {
    return value instanceof JsonNumber || value instanceof String ? value.toString().strip() : "";
  }

  /** Takes out what may be said and changes nothing. */
  void ignore(String... names) {
    for (String name : names) {
      left.remove(name);
    }
  }

  /** The names that are left. */
  Set<String> names() {
    return Set.copyOf(left.keySet());
  }

  /** Refuses what nobody has asked for: a name that was mistyped would be ignored otherwise. */
  void requireEmpty() {
    if (!left.isEmpty()) {
      String name = left.keySet().iterator().next();
      throw ApiException.unknownField(
          name, "[request] unknown field %s.".formatted(JsonWriter.abbreviated(name)));
    }
  }
}
