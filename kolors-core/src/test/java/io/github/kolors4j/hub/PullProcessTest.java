package io.github.kolors4j.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** What becomes of a pull whose process is not alone, or not let to its end. */
class PullProcessTest {
  private static final String SHARD_1 =
      "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors";
  private static final String SHARD_2 =
      "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors";
  private static final int RANGE_BYTES = 1 << 20;
  private static final int SIZE = 6_000_000;

  @TempDir Path cacheFolder;
  private FakeHub hub;

  @BeforeEach
  void start() throws IOException {
    hub = FakeHub.withPipeline();
    hub.random(SHARD_1, SIZE);
    hub.random(SHARD_2, SIZE + 1);
  }

  @AfterEach
  void stop() {
    hub.close();
  }

  /** Starts a pull; {@code shell} may limit it first. */
  private Process pull(String shell) throws Exception {
    Set<String> classPath = new LinkedHashSet<>();
    for (Class<?> type : List.of(PullProgram.class, HubClient.class, Logger.class)) {
      classPath.add(location(type));
    }
    classPath.add(location(Class.forName("io.github.kolors4j.safetensors.Variant")));
    List<String> command = new ArrayList<>();
    if (!shell.isEmpty()) {
      command.addAll(List.of("sh", "-c", shell + "; exec \"$0\" \"$@\""));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath)));
    command.addAll(List.of(PullProgram.class.getName(), String.valueOf(RANGE_BYTES)));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("HF_HUB_CACHE", cacheFolder.toString());
    builder.environment().put("HF_ENDPOINT", hub.endpoint().toString());
    return builder.start();
  }

  private static String location(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  private static String output(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return out;
  }

  private void assertWhole(Process process) throws Exception {
    String out = output(process);
    assertEquals(0, process.exitValue(), out);
    String last = out.strip().lines().toList().getLast();
    for (String path : List.of(SHARD_1, SHARD_2, "unet/config.json")) {
      assertArrayEquals(hub.files.get(path), Files.readAllBytes(Path.of(last).resolve(path)), path);
    }
  }

  /** Only with the bytes that its name promises. */
  private List<String> blobs() throws IOException {
    Path blobs = cacheFolder.resolve("models--Owner--small-diffusers/blobs");
    try (Stream<Path> all = Files.list(blobs)) {
      return all.map(path -> path.getFileName().toString())
          .filter(name -> !name.endsWith(".incomplete"))
          .toList();
    }
  }

  @Test
  void whatAKilledPullHasWrittenIsNotFetchedAgain() throws Exception {
    CountDownLatch halfWay = new CountDownLatch(1);
    hub.misbehaviour =
        (ask, content) -> {
          // from here on nothing more comes, so that it is killed in the middle of several ranges
          if (ask.inStore() && hub.contentBytes.get() > SIZE) {
            hub.cutAfter(ask.exchange(), content, RANGE_BYTES / 2);
            halfWay.countDown();
            Thread.sleep(60_000);
          }
          return false;
        };
    Process killed = pull("");
    assertTrue(halfWay.await(30, TimeUnit.SECONDS));
    Thread.sleep(300);
    killed.destroyForcibly().waitFor();
    assertTrue(blobs().size() < 9, "killed after its end");

    hub.misbehaviour = (_, _) -> false;
    assertWhole(pull(""));
    for (String path : List.of(SHARD_1, SHARD_2)) {
      long twice = hub.bytesSent(path) - hub.files.get(path).length;
      assertTrue(twice <= RANGE_BYTES, "bytes fetched twice of " + path + ": " + twice);
    }
  }

  @Test
  void twoProcessesAtOnceFetchEachFileOnce() throws Exception {
    hub.misbehaviour =
        (ask, _) -> {
          if (ask.inStore()) {
            Thread.sleep(200);
          }
          return false;
        };
    Process one = pull("");
    Process two = pull("");
    assertWhole(one);
    assertWhole(two);
    assertEquals(6, hub.requestsFor(SHARD_1));
    assertEquals(6, hub.requestsFor(SHARD_2));
  }

  @Test
  void aDiskThatFillsUpLeavesNothingHalfUnderAName() throws Exception {
    assumeTrue(File.separatorChar == '/', "a limit on the size of files stands for a full disk");
    Process limited = pull("ulimit -f 4096"); // half a kilobyte or one each
    String out = output(limited);
    assertEquals(1, limited.exitValue(), out);
    assertTrue(out.contains("DISK [hub] unet/"), out);
    assertTrue(out.contains("cannot be written"), out);
    assertTrue(
        blobs().stream().noneMatch(name -> name.equals(FakeHub.sha256(hub.files.get(SHARD_1)))));
    assertWhole(pull(""));
  }
}
