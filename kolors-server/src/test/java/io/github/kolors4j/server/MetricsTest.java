package io.github.kolors4j.server;

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
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private static final ImageRequest SMALL =
      ImageRequest.builder("x")
          .size(16, 16)
          .numInferenceSteps(2)
          .maxSequenceLength(16)
          .seed(1)
          .build();

  /** Those that {@code kolors4j.Request} has: {@code FlightRecorderTest} compares these. */
  @Test
  void timesOfStagesAreThoseOfTheResults() throws IOException {
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
        ImageService service = ImageService.builder(pipeline).build();
        Metrics metrics = new Metrics(service)) {
      ImageJob first = service.submit(SMALL, JobOptions.DEFAULT);
      metrics.watch(first);
      ImageJob second = service.submit(SMALL, JobOptions.DEFAULT);
      metrics.watch(second);
      ImageResult a = first.await();
      ImageResult b = second.await();
      TestServer.until(
          () -> metrics.text().contains("kolors_stage_seconds_count{stage=\"decode\"} 2"));
      assertSum(metrics, "text", a.timings().text().plus(b.timings().text()));
      assertSum(metrics, "denoise", a.timings().denoise().plus(b.timings().denoise()));
      assertSum(metrics, "decode", a.timings().decode().plus(b.timings().decode()));
      assertTrue(value(metrics, "kolors_queue_wait_seconds_count") <= 1, "the first never waits");
    }
  }

  private static void assertSum(Metrics metrics, String stage, Duration sum) {
    assertEquals(
        sum.toNanos() / 1e9,
        value(metrics, "kolors_stage_seconds_sum{stage=\"%s\"}".formatted(stage)),
        1e-9);
  }

  private static double value(Metrics metrics, String name) {
    return metrics
        .text()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .sum();
  }
}
