package io.github.kolors4j.batch;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Mask;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The picture that a row begins with.
 *
 * @param image which one
 * @param strength how much of it is redrawn, 0 to 1, where the row says
 * @param denoisingStart the share of the way that is behind it, where the row says
 * @param mask where it is redrawn, where the row says
 */
record BeginFiles(
    RowPicture image,
    OptionalDouble strength,
    OptionalDouble denoisingStart,
    Optional<MaskFile> mask)
    implements FileArgument {

  /**
   * Where a picture is redrawn.
   *
   * @param picture of it
   * @param blur of its border, in pixels, 0 for none; never for a map
   * @param padding of the region that is painted by itself, in pixels; never for a map
   * @param isMap whether it says how much, diffusers' {@code map}, and not where, {@code
   *     mask_image}
   */
  record MaskFile(RowPicture picture, double blur, OptionalInt padding, boolean isMap) {
    private Mask read() throws IOException {
      return isMap
          ? new Mask.StrengthMap(picture.read())
          : new Mask.Inpainting(picture.read().gaussianBlur(blur), padding);
    }
  }

  @Override
  public String identity() {
    String begin = "image %s %s %s".formatted(image.sha256(), strength, denoisingStart);
    return mask.map(
            where ->
                "%s %s %s %s%s"
                    .formatted(
                        begin,
                        where.isMap ? "map" : "mask",
                        where.picture.sha256(),
                        where.padding,
                        where.blur == 0 ? "" : " blur " + where.blur))
        .orElse(begin);
  }

  @Override
  public void apply(ImageRequest.Builder request) throws IOException {
    request.image(image.read());
    if (mask.isPresent()) {
      request.mask(mask.get().read());
    }
    strength.ifPresent(request::strength);
    denoisingStart.ifPresent(request::denoisingStart);
  }
}
