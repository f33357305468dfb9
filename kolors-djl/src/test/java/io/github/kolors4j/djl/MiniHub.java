package io.github.kolors4j.djl;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A hub that has the mini checkpoint, and nothing else. */
final class MiniHub implements AutoCloseable {
  static final String REPO = "kolors4j-test/mini";

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  private final HttpServer server =
      HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
  private final Path mini = MiniCheckpoint.directory();

  MiniHub() throws IOException {
    server.createContext("/api/models/" + REPO + "/revision/", this::revision);
    server.createContext("/api/models/" + REPO + "/tree/", this::tree);
    server.createContext("/" + REPO + "/resolve/" + COMMIT + "/", this::file);
    server.start();
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void revision(HttpExchange exchange) throws IOException {
    json(exchange, Map.of("sha", COMMIT, "cardData", Map.of("license", "apache-2.0")));
  }

  private void tree(HttpExchange exchange) throws IOException {
    List<Map<String, Object>> entries = new ArrayList<>();
    try (Stream<Path> files = Files.walk(mini)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        entries.add(
            Map.of(
                "type", "file",
                "path", mini.relativize(file).toString().replace('\\', '/'),
                "size", bytes.length,
                "oid", gitHash(bytes)));
      }
    }
    json(exchange, entries);
  }

  private void file(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    send(exchange, Files.readAllBytes(mini.resolve(path.substring(path.indexOf(COMMIT) + 41))));
  }

  private static void json(HttpExchange exchange, Object value) throws IOException {
    send(exchange, new Gson().toJson(value).getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, byte[] bytes) throws IOException {
    exchange.sendResponseHeaders(200, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private static String gitHash(byte[] bytes) {
    try {
      MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
      sha1.update(("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(sha1.digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
