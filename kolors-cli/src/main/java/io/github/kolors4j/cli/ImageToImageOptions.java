package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Mask;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** What the picture begins with, if not with noise alone. */
final class ImageToImageOptions {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      description =
          "Redraws this picture. It is resized to --width and --height; without them the size stays,"
              + " rounded down to the multiple.")
  private Path image;

  @Option(
      names = "--strength",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "How much of --image is redrawn: 0 nothing, 1 everything. That share of the steps is"
              + " taken. Default: 0.3, with --mask 0.9999.")
  private Double strength;

  @Option(
      names = "--denoising-start",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "Goes on with --image after this share of the way, between 0 and 1, without new noise and"
              + " in place of --strength.")
  private Double denoisingStart;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description =
          "Paints anew what is white in this picture, and leaves what is black. With a U-Net for"
              + " inpainting, or any other.")
  private Path mask;

  @Option(
      names = "--mask-blur",
      paramLabel = "X",
      converter = Numbers.Decimal.class,
      description =
          "Softens the border of --mask by so many pixels, where the region of --padding-mask-crop"
              + " is put back. Default: 0.")
  private Double maskBlur;

  @Option(
      names = "--padding-mask-crop",
      paramLabel = "N",
      description =
          "Paints only the region around what --mask marks, with a margin of N pixels, at the whole"
              + " --width and --height, and puts it back into the picture.")
  private Integer paddingMaskCrop;

  @Option(
      names = "--strength-map",
      paramLabel = "FILE",
      description =
          "Redraws --image here more and there less: the brighter this picture is, the longer a part"
              + " is kept.")
  private Path strengthMap;

  /** Refuses what has nothing to act on, and says what does nothing. */
  void check(Terminal terminal) {
    if (image == null && strength != null) {
      throw withoutImage("--strength");
    }
    if (image == null && denoisingStart != null) {
      throw withoutImage("--denoising-start");
    }
    if (image == null && mask != null) {
      throw withoutImage("--mask");
    }
    if (image == null && strengthMap != null) {
      throw withoutImage("--strength-map");
    }
    if (mask != null && strengthMap != null) {
      throw new UsageException(
          "[arguments] both --mask and --strength-map: a picture is inpainted, or redrawn by a map,"
              + " give one of them.");
    }
    if (mask == null && paddingMaskCrop != null) {
      throw withoutMask("--padding-mask-crop");
    }
    if (mask == null && maskBlur != null) {
      throw withoutMask("--mask-blur");
    }
    if (strength != null && denoisingStart != null) {
      terminal.warn("[arguments] --strength has no effect beside --denoising-start.");
    }
  }

  private Mask mask() throws IOException {
    KolorsImage read =
        OptionPicture.read("--mask", mask).gaussianBlur(maskBlur == null ? 0 : maskBlur);
    return new Mask.Inpainting(
        read, paddingMaskCrop == null ? OptionalInt.empty() : OptionalInt.of(paddingMaskCrop));
  }

  private static UsageException withoutImage(String option) {
    return new UsageException(
        "[arguments] %s without --image: it is for image to image, give the image too."
            .formatted(option));
  }

  private static UsageException withoutMask(String option) {
    return new UsageException(
        "[arguments] %s without --mask: it is about the mask, give the mask too."
            .formatted(option));
  }

  /** Reads the image, if there is one. */
  void apply(ImageRequest.Builder request) throws IOException {
    if (image != null) {
      request.image(OptionPicture.read("--image", image));
    }
    if (mask != null) {
      request.mask(mask());
    }
    if (strengthMap != null) {
      request.strengthMap(OptionPicture.read("--strength-map", strengthMap));
    }
    given(strength, request::strength);
    given(denoisingStart, request::denoisingStart);
  }
}
