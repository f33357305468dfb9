package io.github.kolors4j.server;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.scheduler.Scheduler;
import java.util.Optional;
import java.util.Set;

/**
 * What a client asks for, and how it wants the answer.
 *
 * @param request what to make
 * @param scheduler the request's own; empty for the checkpoint's
 * @param format of the picture files
 * @param asUrl whether the answer has addresses in the place of bytes
 * @param stream whether the answer is events
 * @param partialImages how many pictures on the way are wanted, at most
 * @param sent the names of the fields that it has sent
 */
record ImageCall(
    ImageRequest request,
    Optional<Scheduler> scheduler,
    ImageFormat format,
    boolean asUrl,
    boolean stream,
    int partialImages,
    Set<String> sent) {

  /** A call for a file of one kind, in one answer. */
  static ImageCall of(
      ImageRequest request, Optional<Scheduler> scheduler, ImageFormat format, Set<String> sent) {
    return new ImageCall(request, scheduler, format, false, false, 0, sent);
  }

  /**
   * Whether a picture on the way is shown after a step. They divide the steps into parts that are
   * as equal as can be; where there are fewer steps than that, each but the last shows one.
   */
  boolean showsAfter(Progress step) {
    for (int i = 1; i <= partialImages; i++) {
      long after = Math.round((double) i * step.steps() / (partialImages + 1));
      if (step.step() == Math.max(1, after)) {
        return true;
      }
    }
    return false;
  }

  /** The name of the format in OpenAI's fields. */
  String formatName() {
    return format == ImageFormat.PNG ? "png" : "jpeg";
  }
}
