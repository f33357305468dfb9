package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ServeCommandTest {
  @TempDir private Path folder;

  /** A server in a thread of its own, which an interrupt ends as Ctrl-C ends the process. */
  private static final class Served implements AutoCloseable {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
    private final Thread thread;

    Served(String... args) {
      Terminal terminal =
          new Terminal(new PrintStream(out, true, StandardCharsets.UTF_8), System.err, false);
      thread =
          Thread.ofPlatform()
              .start(
                  () -> exitCode.complete(KolorsCommand.run(terminal, new Interruption(), args)));
    }

    /** The address, which is the one line of standard output. */
    URI uri() throws InterruptedException {
      while (!out.toString(StandardCharsets.UTF_8).endsWith("\n")) {
        assertFalse(exitCode.isDone(), "it has ended");
        Thread.sleep(10);
      }
      return URI.create(out.toString(StandardCharsets.UTF_8).strip());
    }

    int end() {
      thread.interrupt();
      return exitCode.join();
    }

    @Override
    public void close() {
      thread.interrupt();
    }
  }

  private static int status(URI uri, String key) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    if (key != null) {
      connection.setRequestProperty("Authorization", "Bearer " + key);
    }
    return connection.getResponseCode();
  }

  @Test
  void aServerPrintsItsAddressAnswersAndEndsWell() throws Exception {
    Path key = folder.resolve("key");
    Files.writeString(key, "a-secret\n");
    try (Served served =
        new Served("serve", "--port", "0", "--queue=2", "--key-file", key.toString())) {
      URI uri = served.uri();
      assertEquals("127.0.0.1", uri.getHost());
      assertEquals(200, status(uri.resolve("health"), null));
      assertEquals(401, status(uri.resolve("v1/info"), null));
      assertEquals(200, status(uri.resolve("v1/info"), "a-secret"));
      assertEquals(0, served.end());
    }
  }

  @Test
  void whatCannotBeServedIsSaidBeforeAnythingIsOpened() throws IOException {
    Run open = Run.of("serve", "--host", "0.0.0.0", "--model", "nothing");
    assertEquals(2, open.exitCode());
    assertTrue(open.err().contains("a key is needed"), open.err());
    assertEquals(2, Run.of("serve", "--port", "70000").exitCode());
    assertEquals(2, Run.of("serve", "--queue=-1").exitCode());
    assertEquals(1, Run.of("serve", "--key-file", folder.resolve("absent").toString()).exitCode());
    Path empty = Files.writeString(folder.resolve("empty"), " \n");
    assertEquals(2, Run.of("serve", "--key-file", empty.toString()).exitCode());
    assertEquals("", open.out());
  }

  @Test
  void aPortThatIsTakenIsSaid() throws Exception {
    try (Served served = new Served("serve", "--port", "0")) {
      Run second = Run.of("serve", "--port", Integer.toString(served.uri().getPort()));
      assertEquals(1, second.exitCode());
      assertTrue(second.err().contains("Choose another port"), second.err());
      served.end();
    }
  }
}
