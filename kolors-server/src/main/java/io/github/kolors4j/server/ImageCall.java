package io.github.kolors4j.server;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Steps;
import java.util.Optional;

/**
 * What a client asks for, and how it wants the answer.
 *
 * @param request what to make
 * @param scheduler the request's own; empty for the checkpoint's
 * @param format of the picture files
 * @param asUrl whether the answer has addresses in the place of bytes
 * @param stream whether the answer is events
 * @param partialImages how many pictures on the way are wanted, at most
 */
record ImageCall(
    ImageRequest request,
    Optional<Scheduler> scheduler,
    ImageFormat format,
    boolean asUrl,
    boolean stream,
    int partialImages) {

  /** After how many steps a picture on the way is shown; 0 for never. */
  int previewEvery() {
    if (partialImages == 0) {
      return 0;
    }
    double strength = request.start().image().map(Start.Image::strength).orElse(1.0);
    int steps =
        switch (request.steps()) {
          case Steps.Count(int count) -> (int) Math.max(1, count * strength);
          case Steps.Timesteps(float[] timesteps) -> timesteps.length;
          case Steps.Sigmas(float[] sigmas) -> sigmas.length - 1;
        };
    return Math.ceilDiv(steps, partialImages + 1);
  }

  /** The name of the format in OpenAI's fields. */
  String formatName() {
    return format == ImageFormat.PNG ? "png" : "jpeg";
  }
}
