package io.github.kolors4j.server;

import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.service.QueueFullException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From a request to what answers it, and from an exception to an answer. */
final class Router extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(Router.class);

  private final List<Route> routes;
  private final Guard guard;
  private final Metrics metrics;
  private final AccessLog accessLog;

  Router(List<Route> routes, Guard guard, Metrics metrics, AccessLog accessLog) {
    this.routes = List.copyOf(routes);
    this.guard = guard;
    this.metrics = metrics;
    this.accessLog = accessLog;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    long begin = System.nanoTime();
    Exchange exchange = new Exchange(request, response);
    String route = "none";
    @Nullable Throwable failure = null;
    try {
      guard.checkHost(exchange);
      Matched matched = match(exchange);
      route = matched.route.template();
      guard.checkOrigin(exchange);
      if (!matched.route.open()) {
        guard.checkKey(exchange);
      }
      matched.route.answer().to(exchange, matched.path);
    } catch (Throwable e) {
      failure = refuse(exchange, e);
    }
    long nanos = System.nanoTime() - begin;
    metrics.answered(exchange.method(), route, response.getStatus(), nanos);
    accessLog.answered(exchange, response.getStatus(), failure, nanos);
    if (failure == null) {
      callback.succeeded();
    } else {
      callback.failed(failure); // closes the connection
    }
    return true;
  }

  private record Matched(Route route, Map<String, String> path) {}

  private Matched match(Exchange exchange) {
    List<String> path;
    try {
      path = Route.segments(exchange.path());
    } catch (IllegalArgumentException e) {
      throw ApiException.badRequest("[server] the path is not percent-encoded UTF-8.");
    }
    String method = exchange.method().equals("HEAD") ? "GET" : exchange.method();
    Map<String, Matched> byMethod = new LinkedHashMap<>();
    for (Route route : routes) {
      Optional<Map<String, String>> named = route.match(path);
      named.ifPresent(parts -> byMethod.putIfAbsent(route.method(), new Matched(route, parts)));
    }
    Matched found = byMethod.get(method);
    if (found != null) {
      return found;
    }
    if (byMethod.isEmpty()) {
      throw ApiException.of(
          404, "not_found", "[server] there is nothing at this path: see /openapi.json.");
    }
    String allowed = byMethod.keySet().stream().collect(Collectors.joining(", "));
    throw ApiException.of(
        405,
        "method_not_allowed",
        "[server] %s is not for this path: use %s.".formatted(exchange.method(), allowed),
        "Allow",
        allowed);
  }

  /**
   * Answers with an error.
   *
   * @return null, or what made an answer impossible
   */
  private static @Nullable Throwable refuse(Exchange exchange, Throwable thrown) {
    if (thrown instanceof IOException || exchange.response().isCommitted()) {
      return thrown;
    }
    ApiException error = error(exchange, thrown);
    error.headers().forEach(exchange::setHeader);
    try {
      exchange.json(error.status(), body(exchange, error));
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  /** What went wrong, as the client is told. */
  static ApiException error(Exchange exchange, Throwable thrown) {
    return switch (thrown) {
      case ApiException error -> error;
      case QueueFullException full -> ApiException.queueFull(String.valueOf(full.getMessage()), 1);
      case GenerationCancelledException cancelled ->
          ApiException.of(409, "cancelled", String.valueOf(cancelled.getMessage()));
      case IllegalArgumentException refused ->
          ApiException.badRequest(String.valueOf(refused.getMessage()));
      case ArithmeticException notFinite ->
          ApiException.failed(String.valueOf(notFinite.getMessage()));
      case OutOfMemoryError full -> {
        LOG.warn("{} {}", exchange.id(), full.getMessage());
        yield ApiException.failed(String.valueOf(full.getMessage()));
      }
      default -> {
        LOG.error("{} {} {}", exchange.id(), exchange.method(), exchange.path(), thrown);
        yield ApiException.failed(
            "[server] an internal error: the server's log has it under %s."
                .formatted(exchange.id()));
      }
    };
  }

  /** In OpenAI's form, or in that of AUTOMATIC1111. */
  private static Map<String, Object> body(Exchange exchange, ApiException error) {
    Map<String, Object> body = new LinkedHashMap<>();
    if (exchange.path().startsWith("/sdapi/")) {
      body.put("error", error.type());
      body.put("detail", error.sentence());
      body.put("body", "");
      body.put("errors", error.sentence());
    } else {
      body.put("error", errorJson(error));
    }
    return body;
  }

  static Map<String, Object> errorJson(ApiException error) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("message", error.sentence());
    json.put("type", error.type());
    json.put("param", error.param());
    json.put("code", error.code());
    return json;
  }
}
