package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** That every scheduler, as it is without options, can take the steps of a request. */
class SchedulersInPipelineTest {
  private static final ImageRequest TINY =
      ImageRequest.builder("a")
          .size(16, 16)
          .numInferenceSteps(4)
          .guidanceScale(1)
          .maxSequenceLength(8)
          .seed(1)
          .build();

  @Test
  void everySchedulerMakesAPictureWithItsDefaults() throws IOException {
    try (KolorsPipeline pipeline =
        KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(1).open()) {
      for (SchedulerType type : Schedulers.all()) {
        var scheduler = type.fromConfig(pipeline.scheduler().config(), Map.of());
        assertEquals(1, pipeline.withScheduler(scheduler).generate(TINY).count(), type.className());
      }
    }
  }
}
