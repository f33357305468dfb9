package io.github.kolors4j.run;

import io.github.kolors4j.image.CropRegion;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.MicroConditioning;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.random.Generator;
import java.util.List;
import java.util.Optional;

/**
 * A request with everything filled in, in the plain numbers that the loop computes with.
 *
 * @param request with height, width and the seed of each image: what a result names
 * @param size of the latents of each image
 * @param conditionedSize what the U-Net is told of the size where the request does not say
 * @param generators in place of seeds, one an image, or none
 */
record ResolvedRequest(
    ImageRequest request,
    LatentSize size,
    MicroConditioning.Size conditionedSize,
    List<Generator> generators) {

  int height() {
    return request.height().orElseThrow();
  }

  int width() {
    return request.width().orElseThrow();
  }

  int numImages() {
    return request.numImages();
  }

  /** Which prompt an image is of. */
  int promptOf(int image) {
    return image / request.numImagesPerPrompt();
  }

  Optional<Start.Image> image() {
    return request.start().image();
  }

  /** What is painted by itself and put back into the picture; empty for the whole picture. */
  Optional<CropRegion> region() {
    return image()
        .filter(Start.Image::cropped)
        .flatMap(Start.Image::inpainting)
        .map(
            mask ->
                CropRegion.of(
                    mask.image(), width(), height(), mask.paddingMaskCrop().orElseThrow()));
  }

  /** The picture that a decoded one is, or becomes a part of. */
  KolorsImage whole(KolorsImage decoded, int index) {
    return region()
        .map(
            region ->
                region.paste(
                    decoded,
                    image().orElseThrow().image(index),
                    image().flatMap(Start.Image::inpainting).orElseThrow().image()))
        .orElse(decoded);
  }

  /** The ControlNets that count. */
  List<ControlNetInput> controlNets() {
    return request.controlNets().stream().filter(input -> input.conditioningScale() != 0).toList();
  }

  /** Given latents in place of noise. */
  Optional<FloatArray> givenLatents() {
    return request.start().given();
  }

  /** An image's own generator: the caller's, or a new one of its seed. */
  Generator generator(int image) {
    return generators.isEmpty()
        ? request.rng().generator(request.seeds().get(image))
        : generators.get(image);
  }

  float guidanceScale() {
    return (float) request.guidance().scale();
  }

  float guidanceRescale() {
    return (float) request.guidance().rescale();
  }

  boolean doClassifierFreeGuidance() {
    return request.guidance().doClassifierFreeGuidance();
  }

  boolean doPerturbedAttentionGuidance() {
    return request.guidance().pag().on();
  }

  float pagScale() {
    return (float) request.guidance().pag().scale();
  }

  float pagAdaptiveScale() {
    return (float) request.guidance().pag().adaptiveScale();
  }

  boolean wantsLatents() {
    return request.outputType() == OutputType.LATENT;
  }

  /** Whether the reference's faults are kept. */
  boolean likeDiffusers() {
    return request.compatibility() == Compatibility.DIFFUSERS;
  }
}
