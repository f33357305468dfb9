package io.github.kolors4j.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;

/**
 * A server that speaks the hub's protocol, with a second one that keeps the large files, and does
 * what a test wants it to do wrong.
 */
final class FakeHub implements AutoCloseable {
  static final String REPO = "Owner/small-diffusers";
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  private static final int LARGE = 100_000;
  private static final int PAGE = 4;
  private static final int PIECE = 8192;

  private final Optional<SSLContext> tls;
  private final HttpServer hub;
  private final HttpServer store;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, AtomicInteger> requestsFor = new ConcurrentHashMap<>();

  final Map<String, byte[]> files = new LinkedHashMap<>();
  final Map<String, Object> card = new LinkedHashMap<>();
  final List<Request> requests = new CopyOnWriteArrayList<>();
  final AtomicLong contentBytes = new AtomicLong();
  private final Map<byte[], AtomicLong> bytesOf = new ConcurrentHashMap<>();

  /** Entries of the listing that no file stands behind. */
  final List<Map<String, Object>> moreEntries = new ArrayList<>();

  volatile Misbehaviour misbehaviour = (_, _) -> false;

  /** What was asked; {@code server} is "hub" or "store". */
  record Request(String server, String path, String range, String authorization) {}

  /** One request for a file's content, from the hub or from the store. */
  record Ask(HttpExchange exchange, String server, String path, int number) {
    boolean inStore() {
      return server.equals("store");
    }

    void answer(int status, String... headers) throws IOException {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
      }
      exchange.sendResponseHeaders(status, -1);
      exchange.close();
    }
  }

  /** Answers in place of the server, and says so. */
  @FunctionalInterface
  interface Misbehaviour {
    boolean answers(Ask ask, byte[] content) throws IOException, InterruptedException;
  }

  FakeHub() throws IOException {
    this(Optional.empty());
  }

  /** With TLS, under the name of localhost. */
  private FakeHub(Optional<SSLContext> tls) throws IOException {
    this.tls = tls;
    this.hub = server(tls);
    this.store = server(tls);
    hub.createContext("/", this::hub);
    store.createContext("/", this::store);
    hub.setExecutor(threads);
    store.setExecutor(threads);
    hub.start();
    store.start();
  }

  private static HttpServer server(Optional<SSLContext> tls) throws IOException {
    InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    if (tls.isEmpty()) {
      return HttpServer.create(free, 0);
    }
    HttpsServer server = HttpsServer.create(free, 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls.get()));
    return server;
  }

  /** A hub with a pipeline whose two shards are large files. */
  static FakeHub withPipeline() throws IOException {
    return withPipeline(Optional.empty());
  }

  static FakeHub withPipeline(Optional<SSLContext> tls) throws IOException {
    FakeHub hub = new FakeHub(tls);
    hub.text(
        "model_index.json",
        """
        {"_class_name": "KolorsPipeline",
         "unet": ["diffusers", "UNet2DConditionModel"],
         "scheduler": ["diffusers", "EulerDiscreteScheduler"],
         "safety_checker": [null, null],
         "tokenizer": ["kolors", "ChatGLMTokenizer"]}
        """);
    hub.text("README.md", "not needed");
    hub.text("MODEL_LICENSE", "terms");
    hub.text(".gitattributes", "not needed");
    hub.text("scheduler/scheduler_config.json", "{\"scheduler\": 1}");
    hub.text("tokenizer/tokenizer_config.json", "{\"tokenizer\": 1}");
    hub.text("tokenizer/vocab with spaces 词.txt", "a b c");
    hub.text("unet/config.json", "{\"sample_size\": 128}");
    hub.text("unet/diffusion_pytorch_model.safetensors.index.fp16.json", "{\"weight_map\": {}}");
    hub.text("unet/diffusion_pytorch_model.safetensors", "the plain weights, not needed");
    hub.text("unet/diffusion_pytorch_model.bin", "not needed");
    hub.random("unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors", 400_000);
    hub.random("unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors", 300_001);
    hub.card.put("license", "other");
    hub.card.put("license_name", "small-license");
    hub.card.put("license_link", "https://example.org/terms");
    return hub;
  }

  void text(String path, String text) {
    files.put(path, text.getBytes(StandardCharsets.UTF_8));
  }

  void random(String path, int size) {
    byte[] bytes = new byte[size];
    new Random(path.hashCode()).nextBytes(bytes);
    files.put(path, bytes);
  }

  URI endpoint() {
    return tls.isEmpty() ? address("127.0.0.1", hub) : address("localhost", hub);
  }

  /** Another host, for who compares names; with TLS another port. */
  private URI storeEndpoint() {
    return address("localhost", store);
  }

  private URI address(String host, HttpServer server) {
    String scheme = tls.isEmpty() ? "http" : "https";
    return URI.create(scheme + "://" + host + ":" + server.getAddress().getPort());
  }

  /** How many requests there were for a file's content, at the hub. */
  int requestsFor(String path) {
    return requestsFor.getOrDefault("hub " + path, new AtomicInteger()).get();
  }

  /** How many bytes of a file's content went out, from wherever. */
  long bytesSent(String path) {
    return bytesOf.getOrDefault(files.get(path), new AtomicLong()).get();
  }

  private void sent(byte[] content, int count) {
    contentBytes.addAndGet(count);
    bytesOf.computeIfAbsent(content, _ -> new AtomicLong()).addAndGet(count);
  }

  private void record(HttpExchange exchange, String server) {
    requests.add(
        new Request(
            server,
            exchange.getRequestURI().getPath(),
            String.valueOf(exchange.getRequestHeaders().getFirst("Range")),
            String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"))));
  }

  private void hub(HttpExchange exchange) throws IOException {
    record(exchange, "hub");
    String path = exchange.getRequestURI().getPath();
    String models = "/api/models/" + REPO;
    String resolve = "/" + REPO + "/resolve/" + COMMIT + "/";
    String modelScope = "/api/v1/models/" + REPO;
    if (path.equals(models + "/revision/main") || path.equals(models + "/revision/" + COMMIT)) {
      json(exchange, Map.of("sha", COMMIT, "cardData", card, "tags", List.of()));
    } else if (path.startsWith(models + "/revision/")) {
      refuse(exchange, 404, "RevisionNotFound");
    } else if (path.equals(models + "/tree/" + COMMIT)) {
      tree(exchange);
    } else if (path.startsWith("/api/models/Owner/gated/")) {
      refuse(exchange, 403, "GatedRepo");
    } else if (path.startsWith(resolve)) {
      content(exchange, "hub", path.substring(resolve.length()));
    } else if (path.equals(modelScope)) {
      json(exchange, Map.of("Data", Map.of("License", "Apache License 2.0")));
    } else if (path.equals(modelScope + "/repo/files")) {
      json(exchange, Map.of("Code", 200, "Data", Map.of("Files", modelScopeFiles())));
    } else if (path.equals(modelScope + "/repo")) {
      String query = exchange.getRequestURI().getQuery();
      content(exchange, "hub", query.substring(query.indexOf("FilePath=") + 9));
    } else {
      refuse(exchange, 401, "RepoNotFound");
    }
  }

  private List<Object> modelScopeFiles() {
    List<Object> entries = new ArrayList<>();
    files.forEach(
        (path, bytes) ->
            entries.add(
                Map.of(
                    "Path", path, "Size", bytes.length, "Type", "blob", "Sha256", sha256(bytes))));
    entries.add(Map.of("Path", "unet", "Size", 0, "Type", "tree", "Sha256", ""));
    return entries;
  }

  private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
    exchange.getResponseHeaders().set("X-Error-Code", code);
    exchange.sendResponseHeaders(status, -1);
    exchange.close();
  }

  private static void json(HttpExchange exchange, Object value) throws IOException {
    send(exchange, 200, JsonWriter.compact(value).getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int status, byte[] bytes) throws IOException {
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  /** Page by page. */
  private void tree(HttpExchange exchange) throws IOException {
    List<Map<String, Object>> entries = new ArrayList<>();
    entries.add(Map.of("type", "directory", "path", "unet", "size", 0, "oid", "0".repeat(40)));
    files.forEach((path, bytes) -> entries.add(entry(path, bytes)));
    entries.addAll(moreEntries);
    String query = exchange.getRequestURI().getQuery();
    int at = query.indexOf("cursor=");
    int begin = at < 0 ? 0 : Integer.parseInt(query.substring(at + 7));
    int end = Math.min(entries.size(), begin + PAGE);
    if (end < entries.size()) {
      exchange
          .getResponseHeaders()
          .set(
              "Link",
              "<%s/api/models/%s/tree/%s?recursive=true&cursor=%d>; rel=\"next\""
                  .formatted(endpoint(), REPO, COMMIT, end));
    }
    json(exchange, entries.subList(begin, end));
  }

  static Map<String, Object> entry(String path, byte[] bytes) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("type", "file");
    entry.put("path", path);
    entry.put("size", bytes.length);
    entry.put("oid", gitSha1(bytes));
    if (bytes.length >= LARGE) {
      entry.put("lfs", Map.of("oid", sha256(bytes), "size", bytes.length, "pointerSize", 135));
      entry.put("xetHash", "ab".repeat(32));
    }
    return entry;
  }

  private void store(HttpExchange exchange) throws IOException {
    record(exchange, "store");
    content(exchange, "store", exchange.getRequestURI().getPath().substring(1));
  }

  private void content(HttpExchange exchange, String server, String path) throws IOException {
    byte[] bytes = files.get(path);
    if (bytes == null) {
      refuse(exchange, 404, "EntryNotFound");
      return;
    }
    int number =
        requestsFor
            .computeIfAbsent(server + " " + path, _ -> new AtomicInteger())
            .incrementAndGet();
    try {
      if (misbehaviour.answers(new Ask(exchange, server, path, number), bytes)) {
        return;
      }
    } catch (InterruptedException e) {
      exchange.close();
      return;
    }
    if (server.equals("hub") && bytes.length >= LARGE) {
      exchange
          .getResponseHeaders()
          .set("Location", storeEndpoint().resolve("/" + path) + "?signature=secret" + number);
      exchange.sendResponseHeaders(302, -1);
      exchange.close();
      return;
    }
    range(exchange, bytes);
  }

  private void range(HttpExchange exchange, byte[] bytes) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null || bytes.length == 0) {
      sent(bytes, bytes.length); // before the client can look at it
      send(exchange, 200, bytes);
      return;
    }
    String[] ends = range.substring("bytes=".length()).split("-");
    int from = Integer.parseInt(ends[0]);
    int to = Integer.parseInt(ends[1]) + 1;
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes %d-%d/%d".formatted(from, to - 1, bytes.length));
    exchange.sendResponseHeaders(206, to - from);
    write(exchange, bytes, from, to);
    exchange.close();
  }

  /** Counted piece by piece, as far as the client takes them. */
  private void write(HttpExchange exchange, byte[] bytes, int from, int to) throws IOException {
    OutputStream out = exchange.getResponseBody();
    for (int at = from; at < to; at += PIECE) {
      int count = Math.min(PIECE, to - at);
      out.write(bytes, at, count);
      out.flush();
      sent(bytes, count);
    }
  }

  /** The headers of a whole answer, and only a part of its bytes. */
  void cutAfter(HttpExchange exchange, byte[] bytes, int count) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    String[] ends = range.substring("bytes=".length()).split("-");
    int from = Integer.parseInt(ends[0]);
    int to = Integer.parseInt(ends[1]) + 1;
    exchange
        .getResponseHeaders()
        .set("Content-Range", "bytes %d-%d/%d".formatted(from, to - 1, bytes.length));
    exchange.sendResponseHeaders(206, to - from);
    write(exchange, bytes, from, Math.min(to, from + count));
  }

  static String sha256(byte[] bytes) {
    return hash("SHA-256", bytes);
  }

  static String gitSha1(byte[] bytes) {
    byte[] head = ("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] all = new byte[head.length + bytes.length];
    System.arraycopy(head, 0, all, 0, head.length);
    System.arraycopy(bytes, 0, all, head.length, bytes.length);
    return hash("SHA-1", all);
  }

  private static String hash(String algorithm, byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    hub.stop(0);
    store.stop(0);
    threads.shutdownNow();
  }
}
