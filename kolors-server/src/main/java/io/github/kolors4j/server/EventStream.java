package io.github.kolors4j.server;

import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Response;

/** Server-sent events: an answer that grows. For one thread. */
final class EventStream {
  private final Response response;

  EventStream(Response response) {
    this.response = response;
    response.setStatus(200);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/event-stream; charset=utf-8");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    response.getHeaders().put("X-Accel-Buffering", "no"); // for proxies that would collect them
  }

  /** Sends an event, and waits until the system has taken it. */
  void send(String event, Map<String, ?> data) throws IOException {
    write("event: " + event + "\ndata: " + JsonWriter.compact(data) + "\n\n", false);
  }

  /** Sends nothing, which tells proxies that the connection is alive, and us whether it is. */
  void comment() throws IOException {
    write(":\n\n", false);
  }

  void end() throws IOException {
    write("", true);
  }

  private void write(String text, boolean last) throws IOException {
    Content.Sink.write(response, last, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }
}
