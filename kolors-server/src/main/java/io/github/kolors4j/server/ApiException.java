package io.github.kolors4j.server;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A request that is answered with an error, in OpenAI's form. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private static final String INVALID = "invalid_request_error";

  private final int status;
  private final String type;
  private final @Nullable String code;
  private final @Nullable String param;
  private final transient Map<String, String> headers;

  private ApiException(
      int status,
      String type,
      @Nullable String code,
      @Nullable String param,
      String message,
      Map<String, String> headers) {
    super(message, null, false, false);
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
    this.headers = Map.copyOf(headers);
  }

  /** The caller's fault in one of the fields. */
  static ApiException field(String param, String message) {
    return new ApiException(400, INVALID, "invalid_value", param, message, Map.of());
  }

  /** What the library refuses, and the field that it is about if that can be told. */
  static ApiException refused(IllegalArgumentException refusal, Set<String> sent) {
    String sentence = String.valueOf(refusal.getMessage());
    String param = RefusedField.in(sentence, sent).orElse(null);
    return new ApiException(400, INVALID, "invalid_value", param, sentence, Map.of());
  }

  /** A field that is not known. */
  static ApiException unknownField(String param, String message) {
    return new ApiException(400, INVALID, "unknown_parameter", param, message, Map.of());
  }

  /** The caller's fault in the whole. */
  static ApiException badRequest(String message) {
    return new ApiException(400, INVALID, null, null, message, Map.of());
  }

  /** The caller's fault that has a status of its own. */
  static ApiException of(int status, String code, String message) {
    return new ApiException(status, INVALID, code, null, message, Map.of());
  }

  /** The same with a header. */
  static ApiException of(int status, String code, String message, String header, String value) {
    return new ApiException(status, INVALID, code, null, message, Map.of(header, value));
  }

  /** Too much at once. */
  static ApiException queueFull(String message, long retryAfterSeconds) {
    return new ApiException(
        429,
        "rate_limit_error",
        "queue_full",
        null,
        message,
        Map.of("Retry-After", Long.toString(retryAfterSeconds)));
  }

  /** The server is about to stop. */
  static ApiException stopping() {
    return new ApiException(
        503,
        "server_error",
        "stopping",
        null,
        "[server] it is being stopped: try again later.",
        Map.of("Retry-After", "5"));
  }

  /** Something that would go wrong again. */
  static ApiException failed(String message) {
    return new ApiException(
        500, "server_error", null, null, message, Map.of("x-should-retry", "false"));
  }

  int status() {
    return status;
  }

  String type() {
    return type;
  }

  @Nullable String code() {
    return code;
  }

  @Nullable String param() {
    return param;
  }

  Map<String, String> headers() {
    return headers;
  }

  String sentence() {
    return String.valueOf(getMessage());
  }
}
