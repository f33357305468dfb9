package io.github.kolors4j.server;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.request.Guidance;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** What the server says of itself, and the page. */
final class ServerRoutes {
  private static final String OPEN_API = "openapi.json";
  private static final int UNAVAILABLE = 503;

  /** Diffusers' default. */
  private static final int STEPS = 50;

  private final String model;
  private final KolorsPipeline pipeline;
  private final Submissions submissions;
  private final Metrics metrics;
  private final Limits limits;
  private final int multiple;
  private final Page page = new Page();
  private final long created = Instant.now().getEpochSecond();

  ServerRoutes(
      String model,
      KolorsPipeline pipeline,
      Submissions submissions,
      Metrics metrics,
      Limits limits,
      int multiple) {
    this.model = model;
    this.pipeline = pipeline;
    this.submissions = submissions;
    this.metrics = metrics;
    this.limits = limits;
    this.multiple = multiple;
  }

  List<Route> routes() {
    return List.of(
        Route.of("GET", "/v1/models", (exchange, _) -> models(exchange)),
        Route.of("GET", "/v1/models/{name}", this::model),
        Route.of(
            "GET",
            "/v1/models/{owner}/{name}",
            (exchange, path) ->
                model(exchange, Map.of("name", path.get("owner") + "/" + path.get("name")))),
        Route.of("GET", "/v1/info", (exchange, _) -> exchange.json(200, info())),
        Route.open("GET", "/health", (exchange, _) -> exchange.json(200, Map.of("status", "ok"))),
        Route.open("GET", "/ready", (exchange, _) -> ready(exchange)),
        Route.of(
            "GET", "/metrics", (exchange, _) -> exchange.bytes(200, Metrics.TYPE, utf8(metrics))),
        Route.open(
            "GET",
            "/openapi.json",
            (exchange, _) -> exchange.bytes(200, "application/json", openApi())),
        Route.open("GET", "/", (exchange, _) -> page.index(exchange)),
        Route.open(
            "GET",
            "/{file}",
            (exchange, path) -> page.send(exchange, path.getOrDefault("file", ""))));
  }

  private static byte[] utf8(Metrics metrics) {
    return metrics.text().getBytes(StandardCharsets.UTF_8);
  }

  private Map<String, Object> modelJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", model);
    json.put("object", "model");
    json.put("created", created);
    json.put("owned_by", "kolors4j");
    return json;
  }

  private void models(Exchange exchange) throws IOException {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("object", "list");
    json.put("data", List.of(modelJson()));
    exchange.json(200, json);
  }

  private void model(Exchange exchange, Map<String, String> path) throws IOException {
    if (!model.equals(path.get("name"))) {
      throw ApiException.of(
          404, "model_not_found", "[server] this server has one model: %s.".formatted(model));
    }
    exchange.json(200, modelJson());
  }

  private Map<String, Object> info() {
    Map<String, Object> defaults = new LinkedHashMap<>();
    defaults.put("width", pipeline.defaultSize());
    defaults.put("height", pipeline.defaultSize());
    defaults.put("num_inference_steps", STEPS);
    defaults.put("guidance_scale", Guidance.DEFAULT.scale());
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("model", model);
    json.put("defaults", defaults);
    json.put("multiple", multiple);
    json.put("schedulers", ImageCalls.schedulerNames());
    json.put("maxImages", limits.maxImages());
    json.put("maxPixels", limits.maxPixels());
    json.put("version", version());
    json.put("queueCapacity", submissions.service().queueCapacity());
    return json;
  }

  private void ready(Exchange exchange) throws IOException {
    String status =
        submissions.stopping() ? "stopping" : submissions.warm() ? "ready" : "warming up";
    exchange.json(status.equals("ready") ? 200 : UNAVAILABLE, Map.of("status", status));
  }

  /** The description of all routes. */
  static byte[] openApi() {
    try (InputStream in = ServerRoutes.class.getResourceAsStream(OPEN_API)) {
      if (in == null) {
        throw new IllegalStateException("[server] the jar has no " + OPEN_API + ".");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The version that the build has written. */
  static String version() {
    Properties properties = new Properties();
    try (InputStream in = ServerRoutes.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties.getProperty("version", "unknown");
  }
}
