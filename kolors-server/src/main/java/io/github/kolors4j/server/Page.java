package io.github.kolors4j.server;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files of the page. */
final class Page {
  private static final String INDEX = "index.html";
  private static final Pattern NAME = Pattern.compile("[a-z0-9-]+\\.([a-z0-9]+)");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "svg", "image/svg+xml",
          "png", "image/png",
          "json", "application/json");

  /** The page is its own files, asks its own server, and shows pictures that it has in memory. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
          + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final Map<String, File> files = new ConcurrentHashMap<>();

  private record File(String type, byte[] content, String etag) {}

  /** Answers with the page itself. */
  void index(Exchange exchange) throws IOException {
    send(exchange, INDEX);
  }

  /** Answers with one of its files. */
  void send(Exchange exchange, String name) throws IOException {
    File file = file(name);
    exchange.setHeader("Content-Security-Policy", POLICY);
    exchange.setHeader("Referrer-Policy", "no-referrer");
    exchange.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    exchange.setHeader("Cache-Control", "no-cache");
    exchange.setHeader("ETag", file.etag);
    if (exchange.header("If-None-Match").filter(known -> known.contains(file.etag)).isPresent()) {
      exchange.status(304);
    } else {
      exchange.bytes(200, file.type, file.content);
    }
  }

  private File file(String name) {
    File known = files.get(name);
    if (known != null) {
      return known;
    }
    File loaded =
        load(name)
            .orElseThrow(
                () ->
                    ApiException.of(
                        404,
                        "not_found",
                        "[server] there is nothing at this path: see /openapi.json."));
    files.put(name, loaded); // names that are no files are not remembered
    return loaded;
  }

  private static Optional<File> load(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches() || !TYPES.containsKey(matcher.group(1))) {
      return Optional.empty();
    }
    try (InputStream in = Page.class.getResourceAsStream("page/" + name)) {
      if (in == null) {
        return Optional.empty();
      }
      byte[] content = in.readAllBytes();
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(content);
      String etag = '"' + HexFormat.of().formatHex(hash, 0, 16) + '"';
      return Optional.of(new File(TYPES.getOrDefault(matcher.group(1), ""), content, etag));
    } catch (IOException | NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // of our own jar
    }
  }
}
