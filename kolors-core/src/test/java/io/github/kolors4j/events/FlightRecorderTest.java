package io.github.kolors4j.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.ImageService;
import io.github.kolors4j.service.JobOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlightRecorderTest {
  @TempDir private Path folder;

  private static List<RecordedEvent> of(List<RecordedEvent> events, String name) {
    return events.stream()
        .filter(event -> event.getEventType().getName().equals("kolors4j." + name))
        .toList();
  }

  @Test
  void aRecordingSaysWhereTheTimeOfARequestWent() throws IOException {
    Path file = folder.resolve("a.jfr");
    ImageResult result;
    try (Recording recording = new Recording()) {
      recording.start();
      try (KolorsPipeline pipeline =
          KolorsPipeline.builder(MiniCheckpoint.directory()).textEncoderOnDemand().open()) {
        result =
            pipeline.generate(
                ImageRequest.builder("x")
                    .negativePrompt("y")
                    .size(24, 16)
                    .numInferenceSteps(3)
                    .seed(1)
                    .build());
      }
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);
    assertEquals(
        List.of("checkpoint", "text_encoder"),
        of(events, "Load").stream().map(event -> event.getString("part")).sorted().toList());
    RecordedEvent text = of(events, "Text").getFirst();
    assertEquals(2, text.getInt("prompts"));
    assertEquals(0, text.getInt("remembered"));
    assertEquals(256, text.getInt("tokens"));
    List<RecordedEvent> steps = of(events, "Step");
    assertEquals(List.of(1, 2, 3), steps.stream().map(event -> event.getInt("step")).toList());
    assertEquals(2, steps.getFirst().getInt("samples"));
    assertEquals(24, steps.getFirst().getInt("width"));
    assertEquals(16, of(events, "Decode").getFirst().getInt("height"));
    assertEquals(
        List.of("text", "denoise", "decode"),
        of(events, "Memory").stream().map(event -> event.getString("stage")).toList());

    RecordedEvent request = of(events, "Request").getFirst();
    assertEquals("done", request.getString("outcome"));
    assertEquals(result.timings().denoise(), request.getDuration("denoise"));
    Duration inSteps =
        steps.stream().map(RecordedEvent::getDuration).reduce(Duration.ZERO, Duration::plus);
    assertTrue(inSteps.compareTo(request.getDuration("denoise")) <= 0);
    assertTrue(request.getDuration("denoise").compareTo(request.getDuration()) <= 0);
  }

  @Test
  void aRequestThatWaitsForAnotherOneSaysHowLong() throws IOException {
    Path file = folder.resolve("c.jfr");
    ImageRequest request =
        ImageRequest.builder("x").size(16, 16).numInferenceSteps(2).seed(1).build();
    String second;
    try (Recording recording = new Recording()) {
      recording.start();
      try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
          ImageService service = ImageService.builder(pipeline).build()) {
        ImageJob first = service.submit(request, JobOptions.DEFAULT);
        ImageJob waiting = service.submit(request, JobOptions.DEFAULT);
        second = waiting.id();
        first.await();
        waiting.await();
      }
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> queue = of(RecordingFile.readAllEvents(file), "Queue");
    assertEquals(List.of(second), queue.stream().map(each -> each.getString("request")).toList());
    assertEquals(0, queue.getFirst().getInt("before"));
    assertTrue(queue.getFirst().getDuration().isPositive());
  }

  @Test
  void aRequestThatFailsSaysWhatHasEndedIt() throws IOException {
    Path file = folder.resolve("b.jfr");
    try (Recording recording = new Recording()) {
      recording.start();
      try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
        Thread.currentThread().interrupt();
        pipeline.generate(ImageRequest.builder("x").size(16, 16).build());
      } catch (RuntimeException _) {
        assertTrue(Thread.interrupted());
      }
      recording.stop();
      recording.dump(file);
    }
    RecordedEvent request = of(RecordingFile.readAllEvents(file), "Request").getFirst();
    assertEquals("GenerationCancelledException", request.getString("outcome"));
  }
}
