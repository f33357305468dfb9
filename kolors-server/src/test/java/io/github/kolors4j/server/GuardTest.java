package io.github.kolors4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class GuardTest {
  private static final String KEY = "a-key-that-nobody-knows";

  /** A request as it is on the wire, whose status is the answer. */
  private static int raw(TestServer server, String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
      return Integer.parseInt(answer.substring(9));
    }
  }

  private static int get(TestServer server, String path, String host) throws IOException {
    return raw(
        server, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(path, host));
  }

  @Test
  void whereOthersCanReachTheServerAKeyIsCompulsory() {
    for (String host : List.of("0.0.0.0", "::", "192.0.2.1")) {
      IllegalArgumentException refused =
          assertThrows(
              IllegalArgumentException.class, () -> TestServer.builder().host(host).start());
      assertTrue(refused.getMessage().contains("a key is needed"), refused.getMessage());
    }
    KolorsServer.requireKey("127.0.0.1", Optional.empty());
    KolorsServer.requireKey("localhost", Optional.empty());
    KolorsServer.requireKey("0.0.0.0", Optional.of(KEY));
    for (String key : List.of("", "a b", "ü")) {
      assertThrows(IllegalArgumentException.class, () -> TestServer.builder().key(key));
    }
  }

  @Test
  void withAKeyNothingIsAnsweredWithoutItButHealthAndThePage() {
    try (TestServer server = TestServer.start(TestServer.builder().host("0.0.0.0").key(KEY))) {
      for (String path :
          List.of("/v1/models", "/v1/info", "/v1/jobs/x", "/metrics", "/sdapi/v1/options")) {
        TestServer.Answer answer = server.get(path);
        assertEquals(401, answer.status(), path);
        assertEquals("Bearer", answer.header("WWW-Authenticate"));
      }
      assertEquals(401, server.post("/v1/images/generations", TestServer.SMALL).status());
      assertEquals("invalid_api_key", server.get("/v1/models").error().get("code").getAsString());
      for (String path : List.of("/health", "/ready", "/openapi.json")) {
        assertEquals(200, server.get(path).status(), path);
      }
      String basic =
          Base64.getEncoder().encodeToString(("user:" + KEY).getBytes(StandardCharsets.UTF_8));
      for (Map.Entry<String, Integer> each :
          Map.of(
                  "Bearer " + KEY,
                  200,
                  "bearer  " + KEY,
                  200,
                  "Basic " + basic,
                  200,
                  "Bearer " + KEY + "x",
                  401,
                  "Bearer",
                  401,
                  "Basic ???",
                  401,
                  KEY,
                  401)
              .entrySet()) {
        assertEquals(
            each.getValue(),
            server
                .send(server.request("/v1/models").header("Authorization", each.getKey()))
                .status(),
            each.getKey());
      }
    }
  }

  @Test
  void onThisMachineAloneOnlyItsOwnNamesAreAnswered() throws IOException {
    try (TestServer server = TestServer.start(TestServer.builder().allowHost("Pictures.Example"))) {
      for (String host :
          List.of("127.0.0.1:1", "localhost", "LOCALHOST:8080", "[::1]:8080", "pictures.example")) {
        assertEquals(200, get(server, "/health", host), host);
      }
      for (String host : List.of("evil.example", "127.0.0.1.evil.example", "127.0.0.2")) {
        assertEquals(403, get(server, "/health", host), host);
      }
    }
  }

  @Test
  void aPageOfAnotherServerMayNotAsk() {
    try (TestServer server = TestServer.start()) {
      String own = server.server.uri().toString().replaceFirst("/$", "");
      for (Map.Entry<String, Integer> each :
          Map.of(own, 200, "http://evil.example", 403, "null", 403, "http://127.0.0.1", 403)
              .entrySet()) {
        assertEquals(
            each.getValue(),
            server
                .send(
                    server
                        .request("/sdapi/v1/interrupt")
                        .header("Origin", each.getKey())
                        .POST(BodyPublishers.noBody()))
                .status(),
            each.getKey());
      }
    }
  }

  @Test
  void aBodyThatIsTooLargeIsRefusedAlsoWithoutALength() {
    try (TestServer server = TestServer.start(TestServer.builder().maxBodyBytes(1000))) {
      String body = "{\"prompt\": \"" + "a".repeat(2000) + "\"}";
      assertEquals(413, server.post("/v1/jobs", body).status());
      assertEquals(
          413,
          server
              .send(
                  server
                      .request("/v1/jobs")
                      .POST(
                          BodyPublishers.ofInputStream(
                              () ->
                                  new java.io.ByteArrayInputStream(
                                      body.getBytes(StandardCharsets.UTF_8)))))
              .status());
    }
  }

  @Test
  void whatIsNotThereIsNotFoundAndAWrongMethodIsTold() throws IOException {
    try (TestServer server = TestServer.start()) {
      for (String path :
          List.of(
              "/v1/nothing",
              "/nothing.js",
              "/v1/models/another",
              "/page/x",
              "/..%2f..%2fversion.properties",
              "/version.properties")) {
        int status = server.get(path).status();
        assertTrue(status == 404 || status == 400, path + ": " + status);
      }
      TestServer.Answer answer = server.get("/v1/images/generations");
      assertEquals(405, answer.status());
      assertEquals("POST", answer.header("Allow"));
      assertEquals(404, get(server, "/%E4%BD%A0", "localhost"));
      assertEquals(400, get(server, "/%FF%", "localhost"));
    }
  }
}
