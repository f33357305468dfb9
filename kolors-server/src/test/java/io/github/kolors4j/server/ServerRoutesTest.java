package io.github.kolors4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ServerRoutesTest {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void theDescriptionHasEveryRouteAndNoOther() {
    JsonObject paths = description().getAsJsonObject("paths");
    Set<String> described = new TreeSet<>();
    for (String path : paths.keySet()) {
      for (String method : paths.getAsJsonObject(path).keySet()) {
        if (!method.equals("parameters")) {
          described.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path);
        }
      }
    }
    Set<String> routes =
        server.server.routes().stream()
            .map(route -> route.method() + " " + route.template())
            .collect(Collectors.toCollection(TreeSet::new));
    routes.remove("GET /{file}"); // the page's own
    routes.remove("GET /v1/models/{owner}/{name}"); // the same with the slash not encoded
    assertEquals(routes, described);
  }

  @Test
  void everyReferenceOfTheDescriptionLeadsSomewhere() {
    String text = new String(ServerRoutes.openApi(), StandardCharsets.UTF_8);
    Set<String> missing = new HashSet<>();
    var matcher = java.util.regex.Pattern.compile("\"#/([^\"]+)\"").matcher(text);
    while (matcher.find()) {
      JsonObject at = description();
      for (String part : matcher.group(1).split("/")) {
        if (at != null) {
          at = at.getAsJsonObject(part);
        }
      }
      if (at == null) {
        missing.add(matcher.group());
      }
    }
    assertEquals(Set.of(), missing);
  }

  /** A field that is read is described, or the reader would refuse it as unknown. */
  @Test
  void everyDescribedFieldOfAGenerationIsKnown() {
    JsonObject properties =
        description()
            .getAsJsonObject("components")
            .getAsJsonObject("schemas")
            .getAsJsonObject("Generation")
            .getAsJsonObject("properties");
    for (String field : properties.keySet()) {
      TestServer.Answer answer =
          server.post("/v1/jobs", "{\"prompt\": \"a\", \"n\": 0, \"%s\": {}}".formatted(field));
      assertFalse(answer.text().contains("unknown"), field + ": " + answer.text());
    }
  }

  private static JsonObject description() {
    return JsonParser.parseString(new String(ServerRoutes.openApi(), StandardCharsets.UTF_8))
        .getAsJsonObject();
  }

  @Test
  void theModelIsListedAndFoundByItsName() {
    JsonObject list = server.get("/v1/models").json();
    assertEquals("list", list.get("object").getAsString());
    assertEquals(
        "kolors/mini",
        list.getAsJsonArray("data").get(0).getAsJsonObject().get("id").getAsString());
    for (String path : List.of("/v1/models/kolors/mini", "/v1/models/kolors%2Fmini")) {
      assertEquals("kolors/mini", server.get(path).json().get("id").getAsString(), path);
    }
    assertEquals(404, server.get("/v1/models/gpt-image-1").status());
  }

  @Test
  void theFormOfThePageFindsWhatItNeeds() {
    JsonObject info = server.get("/v1/info").json();
    assertEquals("kolors/mini", info.get("model").getAsString());
    JsonObject defaults = info.getAsJsonObject("defaults");
    assertEquals(64, defaults.get("width").getAsInt());
    assertEquals(64, defaults.get("height").getAsInt());
    assertEquals(50, defaults.get("num_inference_steps").getAsInt());
    assertEquals(5.0, defaults.get("guidance_scale").getAsDouble());
    assertEquals(8, info.get("multiple").getAsInt());
    assertEquals(18, info.getAsJsonArray("schedulers").size());
    assertEquals(10, info.get("maxImages").getAsInt());
    assertEquals(16, info.get("queueCapacity").getAsInt());
    assertTrue(info.get("version").getAsString().matches("\\d+\\..*"));
  }

  @Test
  void numbersArePrometheusText() {
    server.post("/v1/images/generations", TestServer.SMALL);
    TestServer.until(() -> server.get("/metrics").text().contains("kolors_images_total 1"));
    TestServer.Answer answer = server.get("/metrics");
    assertTrue(answer.header("Content-Type").startsWith("text/plain"));
    String text = answer.text();
    assertTrue(text.contains("kolors_queue_waiting 0"), text);
    assertTrue(text.contains("kolors_jobs_seconds_count{state=\"completed\"} 1"), text);
    assertTrue(
        text.contains(
            "kolors_http_requests_seconds_count{method=\"POST\",route=\"/v1/images/generations\",status=\"200\"}"
                + " 1"),
        text);
    assertFalse(text.contains("瓢虫"));
  }

  @Test
  void everyAnswerHasANameAndIsNotGuessedAt() {
    TestServer.Answer answer = server.get("/health");
    assertEquals("ok", answer.json().get("status").getAsString());
    assertEquals(36, answer.header("x-request-id").length());
    assertEquals("nosniff", answer.header("X-Content-Type-Options"));
    assertEquals("no-store", answer.header("Cache-Control"));
    assertEquals("", answer.header("Server"));
  }

  /** It says so until it is warm; a request does not wait for that. */
  @Test
  void aServerThatWarmsUpIsReadyWhenItIsWarmOrSomebodyAsks() {
    try (TestServer warming = TestServer.start(TestServer.builder().warmUp())) {
      TestServer.until(() -> warming.get("/ready").status() == 200);
    }
    try (TestServer warming = TestServer.start(TestServer.builder().warmUp())) {
      assertEquals(200, warming.post("/v1/images/generations", TestServer.SMALL).status());
      TestServer.until(() -> warming.get("/ready").status() == 200);
      assertEquals("ready", warming.get("/ready").json().get("status").getAsString());
    }
  }

  @Test
  void thePageIsAtTheRoot() {
    TestServer.Answer answer = server.get("/");
    assertEquals("text/html; charset=utf-8", answer.header("Content-Type"));
    assertTrue(answer.text().startsWith("<!doctype html>"), "index.html");
    assertEquals(200, server.get("/style.css").status());
    assertEquals("text/javascript; charset=utf-8", server.get("/app.js").header("Content-Type"));
  }

  @Test
  void filesOfThePageHaveAPolicyAndAreSentOnce() {
    TestServer.Answer answer = server.get("/favicon-test.svg");
    assertEquals(200, answer.status());
    assertEquals("image/svg+xml", answer.header("Content-Type"));
    String policy = answer.header("Content-Security-Policy");
    assertTrue(policy.startsWith("default-src 'none'; script-src 'self'"), policy);
    assertFalse(policy.contains("unsafe"), policy);
    assertEquals("no-cache", answer.header("Cache-Control"));
    TestServer.Answer again =
        server.send(
            server.request("/favicon-test.svg").header("If-None-Match", answer.header("ETag")));
    assertEquals(304, again.status());
    assertEquals(0, again.bytes().length);
  }
}
