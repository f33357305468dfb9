package io.github.kolors4j.server;

import static io.github.kolors4j.server.TestServer.SMALL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.service.JobOptions;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class JobRoutesTest {
  private TestServer server;

  @BeforeEach
  void start() {
    server = TestServer.start(TestServer.builder().queueCapacity(2));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private String submit(Map<String, ?> body) {
    TestServer.Answer answer = server.post("/v1/jobs", body);
    assertEquals(202, answer.status(), answer.text());
    String id = answer.json().get("id").getAsString();
    assertEquals("/v1/jobs/" + id, answer.header("Location"));
    return id;
  }

  private JsonObject job(String id) {
    return server.get("/v1/jobs/" + id).json();
  }

  private TestServer.Answer cancel(String id) {
    return server.send(server.request("/v1/jobs/" + id + "/cancel").POST(BodyPublishers.noBody()));
  }

  private static String status(JsonObject job) {
    return job.get("status").getAsString();
  }

  @Test
  void aJobGoesFromTheQueueToItsPictureAndItsEventsTellSo() throws Exception {
    TestServer.Gate gate = server.occupy();
    Map<String, Object> body = new LinkedHashMap<>(SMALL);
    body.put("partial_images", 3);
    body.put("n", 2);
    String id = submit(body);
    assertEquals("queued", status(job(id)));
    assertEquals(1, job(id).get("queue_position").getAsInt());
    assertEquals(409, server.get("/v1/jobs/" + id + "/images/0").status());
    gate.open();
    TestServer.Answer answer = server.get("/v1/jobs/" + id + "/events");
    assertTrue(answer.header("Content-Type").startsWith("text/event-stream"));
    List<TestServer.Event> events = TestServer.events(answer);
    List<String> names = events.stream().map(TestServer.Event::name).toList();
    assertEquals("completed", names.getLast());
    assertEquals(2, names.stream().filter("image"::equals).count());
    assertTrue(names.contains("progress") && names.contains("preview"), names.toString());
    for (TestServer.Event event : events) {
      switch (event.name()) {
        case "progress" -> {
          assertTrue(event.data().get("step").getAsInt() <= event.data().get("steps").getAsInt());
          assertTrue(event.data().get("seconds_left").getAsDouble() >= 0);
        }
        case "preview" ->
            assertEquals(32, picture(TestServer.base64(event.data().get("b64_json"))).width());
        default -> {}
      }
    }
    JsonObject ended = job(id);
    assertEquals("completed", status(ended));
    assertEquals(0, ended.get("queue_position").getAsInt());
    assertEquals(2, ended.getAsJsonArray("images").size());
    TestServer.Answer file = server.get("/v1/jobs/" + id + "/images/1");
    assertEquals("image/png", file.header("Content-Type"));
    assertEquals(
        TestServer.PIPELINE.generate(TestServer.SMALL_REQUEST.toBuilder().seed(6).build()).image(),
        picture(file.bytes()));
    assertEquals(404, server.get("/v1/jobs/" + id + "/images/2").status());
    assertEquals(404, server.get("/v1/jobs/" + id + "/images/x").status());
    assertEquals(
        List.of("generating", "image", "progress", "image", "completed"),
        TestServer.events(server.get("/v1/jobs/" + id + "/events")).stream()
            .map(TestServer.Event::name)
            .toList(),
        "who comes late hears where it stands");
  }

  private static KolorsImage picture(byte[] file) throws java.io.IOException {
    return KolorsImage.read(file, "answer", PictureLimits.DEFAULT);
  }

  @Test
  void aJobThatIsCancelledSaysSoToItsWatchersAndNothingHappensTwice() {
    TestServer.Gate gate = server.occupy();
    String id = submit(SMALL);
    assertEquals("cancelled", status(cancel(id).json()));
    assertEquals(409, cancel(id).status());
    List<TestServer.Event> events = TestServer.events(server.get("/v1/jobs/" + id + "/events"));
    assertEquals("cancelled", events.getLast().name());
    assertTrue(events.getLast().data().get("message").getAsString().contains("cancelled"));
    assertEquals(404, server.get("/v1/jobs/" + id + "/images/0").status());
    gate.open();
  }

  @Test
  void aRunningJobCanBeCancelled() {
    Map<String, Object> body = new LinkedHashMap<>(SMALL);
    body.put("num_inference_steps", 1000);
    String id = submit(body);
    TestServer.until(() -> job(id).has("progress"));
    TestServer.Answer answer = cancel(id);
    assertEquals(200, answer.status());
    assertEquals("cancelled", status(answer.json()), "the answer waits for it");
    assertEquals("cancelled", job(id).getAsJsonObject("error").get("code").getAsString());
  }

  @Test
  void aJobThatNobodyKnowsIsNotFound() {
    for (String path : List.of("/v1/jobs/x", "/v1/jobs/x/events", "/v1/jobs/x/images/0")) {
      assertEquals(404, server.get(path).status(), path);
    }
    assertEquals(404, cancel("x").status());
  }

  @Test
  void aFullQueueAnswersWith429AndWhenToComeAgain() {
    TestServer.Gate gate = server.occupy();
    submit(SMALL);
    submit(SMALL);
    for (String path : List.of("/v1/jobs", "/v1/images/generations", "/sdapi/v1/txt2img")) {
      TestServer.Answer answer = server.post(path, SMALL);
      assertEquals(429, answer.status(), answer.text());
      assertTrue(Integer.parseInt(answer.header("Retry-After")) >= 1);
    }
    assertEquals("queue_full", server.post("/v1/jobs", SMALL).error().get("code").getAsString());
    gate.open();
  }

  @Test
  void jobsThatAreNoLongerKeptAreGone() {
    JobStore store = new JobStore(Duration.ofMillis(1), 1 << 20);
    var job = server.server.service().submit(TestServer.SMALL_REQUEST, JobOptions.DEFAULT);
    store.add(
        job,
        ImageCall.of(
            TestServer.SMALL_REQUEST,
            Optional.empty(),
            io.github.kolors4j.image.ImageFormat.PNG,
            Set.of()));
    job.await();
    TestServer.until(() -> statusOf(store, job.id()) == 410);
    assertEquals(404, statusOf(store, "another"));
  }

  @Test
  void theOldestJobsGoWhenPicturesHaveNoRoom() {
    JobStore store = new JobStore(Duration.ofMinutes(1), 3 * 32 * 24);
    ImageCall call =
        ImageCall.of(
            TestServer.SMALL_REQUEST,
            Optional.empty(),
            io.github.kolors4j.image.ImageFormat.PNG,
            Set.of());
    String first = null;
    for (int i = 0; i < 2; i++) {
      var job = server.server.service().submit(TestServer.SMALL_REQUEST, JobOptions.DEFAULT);
      store.add(job, call);
      job.await();
      first = first == null ? job.id() : first;
    }
    String oldest = first;
    TestServer.until(() -> statusOf(store, oldest) == 410);
  }

  private static int statusOf(JobStore store, String id) {
    try {
      store.get(id);
      return 200;
    } catch (ApiException e) {
      return e.status();
    }
  }

  @Test
  void anErrorOfAJobIsToldInOurOwnWordsAlone() {
    assertFalse(
        server.post("/v1/jobs", "{").text().contains("Exception"), "no stack and no class name");
  }
}
