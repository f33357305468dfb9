package io.github.kolors4j.cli;

import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** As much of a hub on this machine as a pull asks, with one repository of a few megabytes. */
final class RehearsalHub implements AutoCloseable {
  static final String REPO = "kolors4j/rehearsal";

  private static final String COMMIT = "0".repeat(40);
  private static final int WEIGHTS_BYTES = 8 << 20;
  private static final String RANGE = "range: bytes=";

  private final ServerSocket server;
  private final Map<String, byte[]> files = new TreeMap<>();

  RehearsalHub() throws IOException {
    files.put(
        "model_index.json",
        utf8(
            """
            {"_class_name": "KolorsPipeline",
             "scheduler": ["diffusers", "EulerDiscreteScheduler"],
             "unet": ["diffusers", "UNet2DConditionModel"]}
            """));
    files.put("scheduler/scheduler_config.json", utf8("{}"));
    files.put("unet/config.json", utf8("{}"));
    files.put("unet/diffusion_pytorch_model.fp16.safetensors", new byte[WEIGHTS_BYTES]);
    server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(this::accept);
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort());
  }

  private void accept() {
    while (true) {
      try {
        Socket client = server.accept();
        Thread.ofPlatform().daemon().start(() -> serve(client));
      } catch (IOException _) {
        return; // closed
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
      while (true) {
        List<String> request = request(in);
        if (request.isEmpty()) {
          return;
        }
        answer(request, client.getOutputStream());
      }
    } catch (IOException _) {
      // the client has what it wanted
    }
  }

  /** The lines of the next one; none at the end. */
  private static List<String> request(BufferedReader in) throws IOException {
    List<String> lines = new ArrayList<>();
    String line = in.readLine();
    while (line != null && !line.isEmpty()) {
      lines.add(line);
      line = in.readLine();
    }
    return lines;
  }

  private void answer(List<String> request, OutputStream out) throws IOException {
    String path = URI.create(request.getFirst().split(" ")[1]).getPath();
    String resolve = "/" + REPO + "/resolve/" + COMMIT + "/";
    if (path.startsWith("/api/models/" + REPO + "/revision/")) {
      send(out, "200 OK", utf8(JsonWriter.compact(Map.of("sha", COMMIT))));
    } else if (path.equals("/api/models/" + REPO + "/tree/" + COMMIT)) {
      send(out, "200 OK", utf8(JsonWriter.compact(listing())));
    } else {
      byte[] file = Objects.requireNonNull(files.get(path.substring(resolve.length())), path);
      Optional<String> range =
          request.stream()
              .map(line -> line.toLowerCase(Locale.ROOT))
              .filter(line -> line.startsWith(RANGE))
              .findFirst();
      if (range.isEmpty()) {
        send(out, "200 OK", file);
        return;
      }
      String[] ends = range.get().substring(RANGE.length()).split("-");
      int begin = Integer.parseInt(ends[0]);
      int end = Integer.parseInt(ends[1]) + 1;
      String head =
          "206 Partial Content\r\nContent-Range: bytes %d-%d/%d"
              .formatted(begin, end - 1, file.length);
      send(out, head, Arrays.copyOfRange(file, begin, end));
    }
  }

  private List<Object> listing() {
    List<Object> entries = new ArrayList<>();
    files.forEach(
        (path, bytes) ->
            entries.add(
                Map.of(
                    "type",
                    "file",
                    "path",
                    path,
                    "size",
                    bytes.length,
                    "oid",
                    COMMIT,
                    "lfs",
                    Map.of("oid", sha256(bytes), "size", bytes.length))));
    return entries;
  }

  private static void send(OutputStream out, String head, byte[] body) throws IOException {
    out.write(utf8("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n".formatted(head, body.length)));
    out.write(body);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
