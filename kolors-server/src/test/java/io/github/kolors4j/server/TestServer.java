package io.github.kolors4j.server;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.service.ImageJob;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A server over the mini checkpoint, and the JDK's client for it. */
final class TestServer implements AutoCloseable {
  /** Opened once for all tests: whoever ends ends it. */
  static final KolorsPipeline PIPELINE = open();

  /** A picture of some milliseconds. */
  static final Map<String, Object> SMALL =
      Map.of(
          "prompt",
          "一只瓢虫",
          "width",
          32,
          "height",
          24,
          "num_inference_steps",
          3,
          "max_sequence_length",
          8,
          "seed",
          5);

  static final ImageRequest SMALL_REQUEST =
      ImageRequest.builder("一只瓢虫")
          .size(32, 24)
          .numInferenceSteps(3)
          .maxSequenceLength(8)
          .seed(5)
          .build();

  final KolorsServer server;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<Gate> gates = new ArrayList<>();

  private TestServer(KolorsServer server) {
    this.server = server;
  }

  private static KolorsPipeline open() {
    try {
      return KolorsPipeline.builder(MiniCheckpoint.directory()).threads(2).open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static KolorsServer.Builder builder() {
    return KolorsServer.builder(PIPELINE).port(0).modelName("kolors/mini");
  }

  static TestServer start() {
    return start(builder());
  }

  static TestServer start(KolorsServer.Builder builder) {
    try {
      return new TestServer(builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return server.uri().getPort();
  }

  URI uri(String path) {
    return server.uri().resolve(path);
  }

  /** An answer, whole. */
  record Answer(int status, Map<String, List<String>> headers, byte[] bytes) {
    String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }

    JsonElement element() {
      return JsonParser.parseString(text());
    }

    JsonObject json() {
      return element().getAsJsonObject();
    }

    String header(String name) {
      return headers.getOrDefault(name.toLowerCase(java.util.Locale.ROOT), List.of("")).getFirst();
    }

    JsonObject error() {
      return json().getAsJsonObject("error");
    }
  }

  Answer send(HttpRequest.Builder request) {
    try {
      HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
      return new Answer(response.statusCode(), response.headers().map(), response.body());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofMinutes(2));
  }

  Answer get(String path) {
    return send(request(path));
  }

  Answer post(String path, String body) {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  Answer post(String path, Map<String, ?> body) {
    return post(path, io.github.kolors4j.safetensors.json.JsonWriter.compact(body));
  }

  /** An answer of events: each with its name and data. */
  record Event(String name, JsonObject data) {}

  static List<Event> events(Answer answer) {
    List<Event> events = new ArrayList<>();
    for (String block : answer.text().split("\n\n")) {
      String name = null;
      for (String line : block.split("\n")) {
        if (line.startsWith("event: ")) {
          name = line.substring(7);
        } else if (line.startsWith("data: ")) {
          events.add(new Event(name, JsonParser.parseString(line.substring(6)).getAsJsonObject()));
        }
      }
    }
    return events;
  }

  static byte[] base64(JsonElement text) {
    return Base64.getDecoder().decode(text.getAsString());
  }

  /** Holds the service's one place until it may go on. */
  static final class Gate {
    final ImageJob job;
    private final CountDownLatch goOn = new CountDownLatch(1);

    Gate(KolorsServer server) {
      CountDownLatch reached = new CountDownLatch(1);
      job =
          server
              .service()
              .submit(
                  SMALL_REQUEST,
                  RunControl.builder()
                      .onStepEnd(
                          _ -> {
                            reached.countDown();
                            await(goOn);
                          })
                      .build());
      await(reached);
    }

    private static void await(CountDownLatch latch) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    void open() {
      goOn.countDown();
    }
  }

  Gate occupy() {
    Gate gate = new Gate(server);
    gates.add(gate);
    return gate;
  }

  static void until(BooleanSupplier condition) {
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("it did not happen in a minute");
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  @Override
  public void close() {
    gates.forEach(Gate::open);
    server.closeWithin(Duration.ZERO);
    http.close();
  }
}
