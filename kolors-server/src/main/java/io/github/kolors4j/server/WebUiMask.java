package io.github.kolors4j.server;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.Mask;
import java.util.Optional;

/** AUTOMATIC1111's mask of image to image: white, or opaque, is painted anew. */
final class WebUiMask {
  /** Its default, in pixels. */
  private static final int BLUR = 4;

  /** What is painted over begins with the picture. */
  private static final int ORIGINAL = 1;

  private WebUiMask() {}

  /**
   * Reads the mask with all that goes with it.
   *
   * @param fields whose are used up
   * @param image to begin with, whose size the mask gets
   * @param calls decodes
   */
  static Optional<Mask> read(Fields fields, KolorsImage image, ImageCalls calls) {
    Optional<String> given = fields.text("mask");
    if (given.isEmpty()) {
      return Optional.empty();
    }
    int fill = fields.integer("inpainting_fill").orElse(ORIGINAL);
    if (fill != ORIGINAL && fill != 0) {
      throw ApiException.field(
          "inpainting_fill",
          "[request] inpainting_fill %s: what is painted over begins with the picture here, use 1,"
                  .formatted(fill)
              + " with a denoising_strength of 1 for noise alone.");
    }
    byte[] bytes = ImageCalls.base64("mask", given.get());
    KolorsImage marked =
        calls
            .transparency("mask", bytes)
            .map(WebUiMask::inverted)
            .orElseGet(() -> calls.decode("mask", bytes));
    if (fields.integer("inpainting_mask_invert").orElse(0) != 0) {
      marked = inverted(marked);
    }
    if (marked.width() != image.width() || marked.height() != image.height()) {
      marked = marked.resize(image.width(), image.height());
    }
    marked = marked.gaussianBlur(blur(fields));
    calls.checkSize(new ImageCalls.Size(image.width(), image.height())); // the result has it
    int padding = fields.integer("inpaint_full_res_padding").orElse(0);
    if (padding < 0) {
      throw ApiException.field(
          "inpaint_full_res_padding",
          "[request] inpaint_full_res_padding %s: use 0 pixels or more.".formatted(padding));
    }
    boolean onlyMasked = fields.flag("inpaint_full_res").orElse(true);
    return Optional.of(onlyMasked ? Mask.cropped(marked, padding) : Mask.overlaid(marked));
  }

  private static double blur(Fields fields) {
    double blur = fields.number("mask_blur").orElse(BLUR);
    if (blur < 0 || blur > 64) {
      throw ApiException.field(
          "mask_blur", "[request] mask_blur %s: use 0 to 64 pixels.".formatted(blur));
    }
    return blur;
  }

  private static KolorsImage inverted(KolorsImage image) {
    byte[] rgb = image.rgb();
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) ~rgb[i];
    }
    return KolorsImage.of(image.width(), image.height(), rgb);
  }
}
