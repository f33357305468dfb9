package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.File;
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
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Of {@code pull}, {@code cache} and the name of a repository as {@code --model}: processes of
 * their own, since it is their environment that counts, and a server that has the mini checkpoint.
 */
class HubCommandsTest {
  private static final String REPO = "Owner/mini-diffusers";
  private static final String NET = "Owner/mini-canny";
  private static final String ADAPTER = "Owner/mini-ip-adapter";
  private static final String COMMIT = "fedcba9876543210fedcba9876543210fedcba98";

  @TempDir private Path folder;
  private Path cache;
  private Map<String, Path> repositories;
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    cache = folder.resolve("hub");
    repositories =
        Map.of(
            REPO, MiniCheckpoint.directory(),
            NET, MiniCheckpoint.controlNet(),
            ADAPTER, MiniCheckpoint.ipAdapter());
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String repo = repositories.keySet().stream().filter(path::contains).findFirst().orElse("none");
    String resolve = "/" + repo + "/resolve/" + COMMIT + "/";
    byte[] body;
    int status = 200;
    if (path.equals("/api/models/" + repo + "/revision/main")) {
      Map<String, String> card = Map.of("license", "apache-2.0");
      body =
          JsonWriter.compact(Map.of("sha", COMMIT, "cardData", card))
              .getBytes(StandardCharsets.UTF_8);
    } else if (path.equals("/api/models/" + repo + "/tree/" + COMMIT)) {
      body = JsonWriter.compact(tree(repositories.get(repo))).getBytes(StandardCharsets.UTF_8);
    } else if (path.startsWith(resolve)) {
      body = Files.readAllBytes(repositories.get(repo).resolve(path.substring(resolve.length())));
    } else {
      exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
      body = new byte[0];
      status = 401;
    }
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static List<Object> tree(Path root) throws IOException {
    List<Object> entries = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        String path = root.relativize(file).toString().replace('\\', '/');
        entries.add(
            Map.of("type", "file", "path", path, "size", bytes.length, "oid", gitSha1(bytes)));
      }
    }
    return entries;
  }

  private static String gitSha1(byte[] bytes) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      digest.update(("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(digest.digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private Run kolors(String... args) throws IOException, InterruptedException {
    return process(command(args), "", Map.of());
  }

  private Run offline(String... args) throws IOException, InterruptedException {
    return process(command(args), "", Map.of("HF_HUB_OFFLINE", "1"));
  }

  private static List<String> command(String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    // as ./kolors does: without the module a second JVM would be started
    command.addAll(List.of("--add-modules", "jdk.incubator.vector", "-Dkolors4j.relaunch=false"));
    command.add("-cp");
    command.add(
        Stream.of("java.class.path", "jdk.module.path")
            .flatMap(key -> Stream.of(System.getProperty(key, "").split(File.pathSeparator)))
            .filter(entry -> !entry.isEmpty())
            .distinct()
            .collect(Collectors.joining(File.pathSeparator)));
    command.add(Main.class.getName());
    command.addAll(Arrays.asList(args));
    return command;
  }

  /** Ends with what a process gives that reads some lines. */
  private Run process(List<String> command, String input, Map<String, String> variables)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("HF_HUB_CACHE", cache.toString());
    builder.environment().put("HF_ENDPOINT", "http://127.0.0.1:" + server.getAddress().getPort());
    builder.environment().put("HF_TOKEN", "hf_verysecret");
    builder.environment().putAll(variables);
    Process process = builder.start();
    try (OutputStream keys = process.getOutputStream()) {
      keys.write(input.getBytes(StandardCharsets.UTF_8));
    }
    int exitCode = process.waitFor();
    // the JVM's own word about the vector module
    String said =
        Files.readString(err)
            .lines()
            .filter(line -> !line.startsWith("WARNING: "))
            .map(line -> line + "\n")
            .collect(Collectors.joining());
    Run run = new Run(exitCode, Files.readString(out), said);
    assertFalse((run.out() + run.err()).contains("verysecret"), run.toString());
    return run;
  }

  /** On a terminal that util-linux's script makes; what is typed comes back as an echo. */
  @Test
  void onATerminalADownloadIsAskedForAndOnlyAYesDownloads() throws Exception {
    Path script = Path.of("/usr/bin/script");
    assumeTrue(Files.isExecutable(script), "no " + script);
    List<String> quoted =
        command("tokenize", "cat", "--model", REPO).stream()
            .map(each -> "'" + each.replace("'", "'\\''") + "'")
            .toList();
    List<String> onTerminal =
        List.of(script.toString(), "-qefc", String.join(" ", quoted), "/dev/null");
    Run no = process(onTerminal, "n\n", Map.of());
    assertEquals(1, no.exitCode(), no.toString());
    assertTrue(no.out().contains("Download it? [y/N]"), no.out());
    assertTrue(no.out().contains("licence: apache-2.0"), no.out());
    assertTrue(no.out().contains("was not downloaded"), no.out());
    assertFalse(Files.exists(cache.resolve("models--Owner--mini-diffusers/snapshots")));

    Run yes = process(onTerminal, "y\n", Map.of());
    assertEquals(0, yes.exitCode(), yes.toString());
    assertTrue(
        Files.exists(cache.resolve("models--Owner--mini-diffusers/snapshots").resolve(COMMIT)));
  }

  /** A small picture, without what tells the model's name. */
  private String[] generate(Path out, String net, String adapter, String... more) {
    String black = folder.resolve("black.png").toString();
    List<String> args = new ArrayList<>(List.of("generate", "ladybug", "--seed", "1"));
    args.addAll(List.of("--steps", "1", "--width", "32", "--height", "32"));
    args.addAll(List.of("--max-sequence-length", "16", "--no-metadata", "--out", out.toString()));
    args.addAll(List.of("--controlnet", net, "--control-image", black));
    args.addAll(List.of("--ip-adapter", adapter, "--ip-adapter-image", black));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  @Test
  void fromAPullOverAPictureToTheEmptyCache() throws Exception {
    Run missing = kolors("tokenize", "cat", "--model", REPO);
    assertEquals(1, missing.exitCode(), missing.err());
    assertTrue(missing.err().contains("run ./kolors pull " + REPO), missing.err());
    assertEquals("", missing.out());

    Run pulled = kolors("pull", REPO);
    Path snapshot = cache.resolve("models--Owner--mini-diffusers/snapshots").resolve(COMMIT);
    assertEquals(0, pulled.exitCode(), pulled.err());
    assertEquals(snapshot + System.lineSeparator(), pulled.out());
    assertTrue(pulled.err().contains("licence: apache-2.0"), pulled.err());

    Run again = kolors("pull", REPO + "@main", "--json");
    JsonObject json = again.json();
    assertEquals(snapshot.toString(), json.get("path").getAsString());
    assertEquals(COMMIT, json.get("commit").getAsString());
    assertEquals(0, json.get("bytesFetched").getAsLong());
    assertEquals("", again.err());

    Run there = offline("pull", REPO);
    assertEquals(0, there.exitCode(), there.err());
    assertEquals(pulled.out(), there.out());
    assertTrue(there.err().startsWith(REPO + " at fedcba987654 is in the cache, "), there.err());
    JsonObject whole = offline("pull", REPO + "@" + COMMIT, "--json").json();
    for (String key : List.of("repo", "commit", "path", "files", "bytes", "bytesFetched")) {
      assertEquals(json.get(key), whole.get(key), key);
    }

    KolorsImage.of(64, 64, new byte[64 * 64 * 3]).save(folder.resolve("black.png"));
    Path fromHub = folder.resolve("hub.png");
    Path shipped = folder.resolve("mini.png");
    Run made = kolors(generate(fromHub, NET, ADAPTER, "--model", REPO, "--pull"));
    assertEquals(0, made.exitCode(), made.err());
    assertEquals(0, Run.of(generate(shipped, "mini", "mini")).exitCode());
    assertArrayEquals(Files.readAllBytes(shipped), Files.readAllBytes(fromHub));

    Run list = kolors("cache", "list");
    assertTrue(list.out().contains(REPO + "  main"), list.out());
    JsonObject listed = kolors("cache", "list", "--json").json();
    assertEquals(cache.toString(), listed.get("cache").getAsString());
    assertEquals(3, listed.getAsJsonArray("repos").size());
    Run verified = kolors("cache", "verify");
    assertEquals(0, verified.exitCode(), verified.err());

    Path config = snapshot.resolve("unet/config.json").toRealPath();
    byte[] bytes = Files.readAllBytes(config);
    bytes[5] ^= 1;
    Files.write(config, bytes);
    Run damaged = kolors("cache", "verify", REPO);
    assertEquals(1, damaged.exitCode());
    assertTrue(damaged.out().contains(config + " is damaged"), damaged.out());
    Files.delete(config);
    assertEquals(0, kolors("pull", REPO).exitCode());
    assertEquals(0, kolors("cache", "verify").exitCode());

    assertEquals(2, Run.of("cache", "remove").exitCode());
    assertEquals(0, kolors("cache", "remove", REPO).exitCode());
    assertEquals(0, kolors("cache", "remove", NET).exitCode());
    assertEquals(0, kolors("cache", "remove", ADAPTER).exitCode());
    Run empty = kolors("cache", "list");
    assertEquals(0, empty.exitCode());
    assertEquals("", empty.out());
    assertEquals(
        "nothing was downloaded yet: " + cache + " has no repository", empty.err().strip());
    assertEquals(1, kolors("cache", "remove", REPO).exitCode());
  }

  @Test
  void aModelIsDownloadedWhereTheUserSaysSo() throws Exception {
    Run run = kolors("tokenize", "瓢虫", "--model", REPO, "--pull");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().contains("licence: apache-2.0"), run.err());
    assertTrue(run.out().contains("[gMASK]"), run.out());
  }

  @Test
  void whatCannotBeHadHasOneSentence() throws Exception {
    Run absent = kolors("pull", "Owner/absent");
    assertEquals(1, absent.exitCode());
    assertEquals(1, absent.err().lines().count(), absent.err());
    assertTrue(absent.err().startsWith("kolors: [hub] Owner/absent is not at "), absent.err());

    for (List<String> asks :
        List.of(List.of("pull", REPO), List.of("tokenize", "cat", "--model", REPO))) {
      Run away = offline(asks.toArray(String[]::new));
      assertEquals(1, away.exitCode());
      assertEquals(
          "kolors: [hub] %s@main is not in %s as a whole, and HF_HUB_OFFLINE forbids the network: unset it, or pull where there is one."
              .formatted(REPO, cache),
          away.err().strip());
    }

    Run wrong = Run.of("pull", "no-owner");
    assertEquals(2, wrong.exitCode());
    assertTrue(wrong.err().contains("write owner/name"), wrong.err());

    Run folder = Run.of("tokenize", "cat", "--model", "./not/there");
    assertEquals(1, folder.exitCode());
    assertFalse(folder.err().contains("[hub]"), folder.err());
  }
}
