package io.github.kolors4j.server;

import static io.github.kolors4j.server.TestServer.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a job whose client hangs up, or asks again. */
@Timeout(180)
class LeavingClientTest {
  private static final String GENERATIONS = "/v1/images/generations";

  private TestServer server = TestServer.start();

  @AfterEach
  void stop() {
    server.close();
  }

  /** A connection as clients keep it: for one request after another. */
  private static final class Connection implements AutoCloseable {
    private final Socket socket;

    Connection(TestServer server) throws IOException {
      socket = new Socket("127.0.0.1", server.port());
      socket.setTcpNoDelay(true);
    }

    void post(String path, Map<String, ?> body, String... headers) throws IOException {
      byte[] json = JsonWriter.compact(body).getBytes(StandardCharsets.UTF_8);
      StringBuilder head = new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n");
      for (String header : headers) {
        head.append(header).append("\r\n");
      }
      head.append("Content-Length: ").append(json.length).append("\r\n\r\n");
      socket.getOutputStream().write(head.toString().getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().write(json);
    }

    void get(String path) throws IOException {
      String request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    }

    /** The next answer's status; its body, which has a length, is read. */
    int status() throws IOException {
      InputStream in = socket.getInputStream();
      StringBuilder head = new StringBuilder();
      while (!head.toString().endsWith("\r\n\r\n")) {
        int next = in.read();
        assertTrue(next >= 0, "the connection ended: " + head);
        head.append((char) next);
      }
      String length = head.toString().replaceFirst("(?is).*content-length: (\\d+).*", "$1");
      in.readNBytes(Integer.parseInt(length));
      return Integer.parseInt(head.substring(9, 12));
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  /** It would take a minute and more. */
  private static Map<String, Object> endless() {
    Map<String, Object> body = new LinkedHashMap<>(TestServer.SMALL);
    body.put("num_inference_steps", 1000);
    body.put("n", 10);
    return body;
  }

  private boolean running() {
    return server.server.service().running() > 0;
  }

  @ParameterizedTest
  @ValueSource(strings = {GENERATIONS, "/sdapi/v1/txt2img"})
  void aClientThatHangsUpCancelsItsJobAlsoOnAUsedConnection(String path) throws IOException {
    Map<String, Object> body = endless();
    body.put("steps", body.remove("num_inference_steps"));
    body.put("n_iter", 10);
    if (path.startsWith("/sdapi")) {
      body.remove("n");
    } else {
      body.remove("n_iter");
    }
    try (Connection connection = new Connection(server)) {
      connection.get("/health");
      assertEquals(200, connection.status());
      connection.post("/v1/images/generations", TestServer.SMALL);
      assertEquals(200, connection.status());
      connection.get("/health");
      assertEquals(200, connection.status());
      connection.post(path, body);
      until(this::running);
    }
    until(() -> !running());
  }

  @Test
  void aClientThatHangsUpInTheQueueLeavesIt() throws IOException {
    server.occupy();
    try (Connection connection = new Connection(server)) {
      connection.post(GENERATIONS, TestServer.SMALL);
      until(() -> server.server.service().waiting() == 1);
    }
    until(() -> server.server.service().waiting() == 0);
  }

  @Test
  void aClientThatHangsUpInAStreamCancelsItsJob() throws IOException {
    Map<String, Object> body = endless();
    body.put("stream", true);
    try (Connection connection = new Connection(server)) {
      connection.post(GENERATIONS, body);
      until(this::running);
    }
    until(() -> !running());
  }

  @Test
  void aWatcherThatHangsUpDoesNotCancelTheJobOfSomebodyElse() throws IOException {
    JsonObject job = server.post("/v1/jobs", endless()).json();
    String path = "/v1/jobs/" + job.get("id").getAsString();
    try (Connection connection = new Connection(server)) {
      connection.get(path + "/events");
      assertTrue(connection.socket.getInputStream().read() >= 0);
    }
    assertNotEquals("cancelled", server.get(path).json().get("status").getAsString());
    assertTrue(running());
  }

  /** Sent ahead of the answer to the first: read by whoever looks whether the client is there. */
  @Test
  void aRequestThatIsSentAheadIsAnsweredToo() throws IOException {
    TestServer.Gate gate = server.occupy();
    try (Connection connection = new Connection(server)) {
      connection.post(GENERATIONS, TestServer.SMALL);
      until(() -> server.server.service().waiting() == 1);
      connection.get("/health");
      connection.post("/v1/jobs", Map.of());
      connection.get("/v1/models/nothing");
      gate.open();
      assertEquals(200, connection.status());
      assertEquals(200, connection.status());
      assertEquals(400, connection.status());
      assertEquals(404, connection.status());
    }
  }

  /** As OpenAI's libraries do when their time is over. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRequestThatIsSentAgainJoinsTheJobThatRuns(boolean byKey) throws Exception {
    TestServer.Gate gate = server.occupy();
    String first = byKey ? "Idempotency-Key: 17" : "x-stainless-retry-count: 0";
    String again = byKey ? "Idempotency-Key: 17" : "x-stainless-retry-count: 1";
    Map<String, Object> body = new LinkedHashMap<>(TestServer.SMALL);
    body.remove("seed"); // another picture each time, were there two
    try (Connection connection = new Connection(server)) {
      connection.post(GENERATIONS, body, first);
      until(() -> server.server.service().waiting() == 1);
    }
    Thread.sleep(100);
    assertEquals(1, server.server.service().waiting(), "it is kept for a while");
    CompletableFuture<Integer> answer = new CompletableFuture<>();
    try (Connection connection = new Connection(server)) {
      connection.post(GENERATIONS, body, again);
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  answer.complete(connection.status());
                } catch (IOException e) {
                  answer.completeExceptionally(e);
                }
              });
      Thread.sleep(100);
      assertEquals(1, server.server.service().waiting(), "there is no second job");
      gate.open();
      assertEquals(200, answer.get());
    }
    until(() -> server.server.shared().size() == 0);
  }

  @Test
  void twoThatAskAlikeForTheFirstTimeGetAJobEach() throws IOException {
    server.occupy();
    try (Connection one = new Connection(server);
        Connection other = new Connection(server)) {
      one.post(GENERATIONS, TestServer.SMALL, "x-stainless-retry-count: 0");
      until(() -> server.server.service().waiting() == 1);
      other.post(GENERATIONS, TestServer.SMALL, "x-stainless-retry-count: 0");
      until(() -> server.server.service().waiting() == 2);
    }
  }

  @Test
  void aKeyWithAnotherRequestIsAnotherJob() throws IOException {
    server.occupy();
    try (Connection one = new Connection(server);
        Connection other = new Connection(server)) {
      one.post(GENERATIONS, TestServer.SMALL, "Idempotency-Key: 17");
      until(() -> server.server.service().waiting() == 1);
      Map<String, Object> body = new LinkedHashMap<>(TestServer.SMALL);
      body.put("seed", 6);
      other.post(GENERATIONS, body, "Idempotency-Key: 17");
      until(() -> server.server.service().waiting() == 2);
    }
  }

  @Test
  void whoDoesNotAskAgainInTimeHasLeft() throws IOException {
    server.close();
    server = TestServer.start(TestServer.builder().retryGrace(Duration.ofMillis(50)));
    try (Connection connection = new Connection(server)) {
      connection.post(GENERATIONS, endless(), "x-stainless-retry-count: 0");
      until(this::running);
    }
    until(() -> !running());
    until(() -> server.server.shared().size() == 0);
  }
}
