package io.github.kolors4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Start;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class WarmUpTest {
  @Test
  void theUsualUNetDrawsFromAText() throws IOException {
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      ImageRequest request = WarmUp.request(pipeline);
      assertEquals(new Start.Noise(), request.start());
      pipeline.check(request, RunControl.NONE);
    }
  }

  @Test
  void aUNetForMasksPaintsIntoOne() throws IOException {
    try (KolorsPipeline pipeline =
        KolorsPipeline.builder(MiniCheckpoint.directory())
            .unet(MiniCheckpoint.inpaintingUnet())
            .open()) {
      ImageRequest request = WarmUp.request(pipeline);
      assertTrue(request.start().image().flatMap(Start.Image::inpainting).isPresent());
      ImageResult result = pipeline.generate(request);
      assertEquals(pipeline.defaultSize(), result.image().width());
    }
  }
}
