package io.github.kolors4j.server;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A path and what answers it.
 *
 * @param method of HTTP
 * @param template of the path, as {@code /v1/jobs/{id}}
 * @param parts of the template, between its slashes
 * @param open whether it is answered without a key
 * @param answer what answers
 */
record Route(String method, String template, List<String> parts, boolean open, Answer answer) {
  /** Answers a request. */
  @FunctionalInterface
  interface Answer {
    /**
     * Answers.
     *
     * @param exchange the request and its answer
     * @param path the parts of the path that the template names
     */
    void to(Exchange exchange, Map<String, String> path) throws Exception;
  }

  static Route of(String method, String template, Answer answer) {
    return new Route(method, template, segments(template), false, answer);
  }

  static Route open(String method, String template, Answer answer) {
    return new Route(method, template, segments(template), true, answer);
  }

  /** The named parts of a path that fits; empty for one that does not. */
  Optional<Map<String, String>> match(List<String> path) {
    if (parts.size() != path.size()) {
      return Optional.empty();
    }
    Map<String, String> named = new LinkedHashMap<>();
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i);
      if (part.startsWith("{")) {
        named.put(part.substring(1, part.length() - 1), path.get(i));
      } else if (!part.equals(path.get(i))) {
        return Optional.empty();
      }
    }
    return Optional.of(named);
  }

  /** The decoded parts of a path. */
  static List<String> segments(String path) {
    return Arrays.stream(path.split("/", -1))
        .skip(1)
        .map(part -> URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8))
        .toList();
  }
}
