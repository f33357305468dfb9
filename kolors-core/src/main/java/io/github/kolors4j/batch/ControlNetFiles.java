package io.github.kolors4j.batch;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.Canny;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;

/**
 * A ControlNet of a row.
 *
 * @param net which one
 * @param image what it follows
 * @param scale how strongly
 * @param start the share of the steps after which it begins, 0 to 1
 * @param end the share of the steps after which it ends, 0 to 1
 * @param guessMode whether it leads the prompt's prediction only
 * @param canny whether it follows the edges of the image, which are found here
 */
record ControlNetFiles(
    ControlNet net,
    RowPicture image,
    double scale,
    double start,
    double end,
    boolean guessMode,
    boolean canny)
    implements FileArgument {
  @Override
  public String identity() {
    return "controlnet %s %s %s %s %s %s%s"
        .formatted(
            net.identity(), image.sha256(), scale, start, end, guessMode, canny ? " canny" : "");
  }

  @Override
  public void apply(ImageRequest.Builder request) throws IOException {
    KolorsImage read = image.read();
    request.controlNet(
        new ControlNetInput(
            net, canny ? Canny.DEFAULT.edges(read) : read, scale, start, end, guessMode));
  }
}
