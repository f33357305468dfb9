package io.github.kolors4j.server;

import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;

/** A request and its answer. */
final class Exchange {
  private static final int BODY_TOO_LARGE = 413;

  private final Request request;
  private final Response response;
  private final String id = UUID.randomUUID().toString();

  Exchange(Request request, Response response) {
    this.request = request;
    this.response = response;
    response.getHeaders().put("x-request-id", id);
    response.getHeaders().put("X-Content-Type-Options", "nosniff");
    response.getHeaders().put("Cross-Origin-Resource-Policy", "same-origin");
  }

  /** A name for the log and for the client, who may ask about it. */
  String id() {
    return id;
  }

  String method() {
    return request.getMethod();
  }

  /** As it was sent: percent-encoded, without the query. */
  String path() {
    return request.getHttpURI().getPath();
  }

  Optional<String> query(String name) {
    return Optional.ofNullable(Request.extractQueryParameters(request).getValue(name));
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(request.getHeaders().get(name));
  }

  /** The address of who asks. */
  String remote() {
    return String.valueOf(Request.getRemoteAddr(request));
  }

  /** The name in the address that was asked, without the port; IPv6 in brackets. */
  String host() {
    return String.valueOf(Request.getServerName(request));
  }

  /** The address of the server, as this client knows it. */
  String origin() {
    return "http://" + header("Host").orElseGet(this::host);
  }

  /**
   * The whole body.
   *
   * @param limit the most bytes that are read
   */
  byte[] body(long limit) throws IOException {
    long announced = request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH);
    if (announced <= limit) {
      try (InputStream in = Content.Source.asInputStream(request)) {
        byte[] body = in.readNBytes(Math.toIntExact(limit + 1));
        if (body.length <= limit) {
          return body;
        }
      }
    }
    throw ApiException.of(
        BODY_TOO_LARGE,
        "body_too_large",
        String.format(
            Locale.ROOT,
            "[server] the body has more than %,d bytes: send smaller pictures.",
            limit),
        "Connection",
        "close");
  }

  Response response() {
    return response;
  }

  void setHeader(String name, String value) {
    response.getHeaders().put(name, value);
  }

  /** Answers with JSON. */
  void json(int status, Map<String, ?> value) throws IOException {
    json(status, (Object) value);
  }

  /** Answers with JSON of any kind. */
  void json(int status, Object value) throws IOException {
    bytes(status, "application/json", JsonWriter.compact(value).getBytes(StandardCharsets.UTF_8));
  }

  /** Answers with anything. */
  void bytes(int status, String type, byte[] content) throws IOException {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    if (!response.getHeaders().contains(HttpHeader.CACHE_CONTROL)) {
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    }
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, content.length);
    Content.Sink.write(response, true, ByteBuffer.wrap(content));
  }

  /** Answers with nothing but a status. */
  void status(int status) throws IOException {
    response.setStatus(status);
    Content.Sink.write(response, true, ByteBuffer.allocate(0));
  }

  /**
   * Watches the client, whose body has been read.
   *
   * @param gone called when it has hung up
   * @return to be closed before the answer
   */
  ClientWatch watch(Runnable gone) {
    return ClientWatch.of(request, gone);
  }

  /** Answers with events. */
  EventStream events() {
    return new EventStream(response);
  }
}
