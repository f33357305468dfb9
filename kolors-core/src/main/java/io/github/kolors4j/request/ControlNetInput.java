package io.github.kolors4j.request;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.KolorsImage;
import java.util.Objects;

/**
 * A picture that leads a request through a ControlNet: edges, depth, a pose. A request may have
 * several, and what they add, adds up.
 *
 * {@snippet :
 * ControlNet canny = ControlNet.of(Path.of("Kolors-ControlNet-Canny"));
 * KolorsImage edges = Canny.DEFAULT.edges(KolorsImage.read(Path.of("photo.jpg")));
 * ImageRequest request =
 *     ImageRequest.builder("一只瓢虫")
 *         .controlNet(ControlNetInput.of(canny, edges).at(0.7).between(0, 0.9))
 *         .build();
 * }
 *
 * @param controlNet which ControlNet
 * @param image what it was trained to follow, of any size; it is resized to that of the request
 * @param conditioningScale how strongly it leads; 0 is as none. Diffusers' {@code
 *     controlnet_conditioning_scale}
 * @param guidanceStart the share of the steps after which it begins, 0 to 1; diffusers' {@code
 *     control_guidance_start}
 * @param guidanceEnd the share of the steps after which it ends, 0 to 1 and not before its start;
 *     diffusers' {@code control_guidance_end}
 * @param guessMode whether it leads the prompt's prediction only, not the negative one, and the
 *     less the finer the details are: for a picture without a prompt
 */
public record ControlNetInput(
    ControlNet controlNet,
    KolorsImage image,
    double conditioningScale,
    double guidanceStart,
    double guidanceEnd,
    boolean guessMode) {

  /** The scale where none is said, as in diffusers' community pipelines for Kolors. */
  public static final double DEFAULT_SCALE = 0.8;

  /**
   * Checks each value.
   *
   * @throws IllegalArgumentException if the scale is not finite, or the shares are not from 0 to 1
   *     in their order
   */
  public ControlNetInput {
    Objects.requireNonNull(controlNet, "controlNet");
    Objects.requireNonNull(image, "image");
    if (!Float.isFinite((float) conditioningScale)) {
      throw new IllegalArgumentException(
          "[request] controlnet_conditioning_scale %s is not a finite number."
              .formatted(conditioningScale));
    }
    Fractions.checkShare("control_guidance_start", guidanceStart);
    Fractions.checkShare("control_guidance_end", guidanceEnd);
    if (guidanceStart > guidanceEnd) {
      throw new IllegalArgumentException(
          "[request] control_guidance_start %s is after control_guidance_end %s: start earlier or end later."
              .formatted(guidanceStart, guidanceEnd));
    }
  }

  /**
   * A ControlNet that leads all steps, at the usual scale.
   *
   * @param controlNet which one
   * @param image what it follows
   * @return the input
   */
  public static ControlNetInput of(ControlNet controlNet, KolorsImage image) {
    return new ControlNetInput(controlNet, image, DEFAULT_SCALE, 0, 1, false);
  }

  /**
   * The same at another scale.
   *
   * @param scale how strongly it leads, by default {@value #DEFAULT_SCALE}
   * @return the input
   * @throws IllegalArgumentException if it is not finite
   */
  public ControlNetInput at(double scale) {
    return new ControlNetInput(controlNet, image, scale, guidanceStart, guidanceEnd, guessMode);
  }

  /**
   * The same in a part of the steps.
   *
   * @param start the share of the steps after which it begins, by default 0
   * @param end the share of the steps after which it ends, by default 1
   * @return the input
   * @throws IllegalArgumentException if they are not from 0 to 1 in this order
   */
  public ControlNetInput between(double start, double end) {
    return new ControlNetInput(controlNet, image, conditioningScale, start, end, guessMode);
  }

  /**
   * The same in guess mode.
   *
   * @return the input
   */
  public ControlNetInput guessing() {
    return new ControlNetInput(
        controlNet, image, conditioningScale, guidanceStart, guidanceEnd, true);
  }

  /**
   * The same without anything that is not seen: the image at the size of the picture, the
   * ControlNet without its folders. It gives the same picture.
   *
   * @param width pixels in a row of the picture
   * @param height its rows
   * @return the input
   */
  public ControlNetInput asSeen(int width, int height) {
    return new ControlNetInput(
        controlNet.withoutFolders(),
        image.resize(width, height),
        conditioningScale,
        guidanceStart,
        guidanceEnd,
        guessMode);
  }
}
