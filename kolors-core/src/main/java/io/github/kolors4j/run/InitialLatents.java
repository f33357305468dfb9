package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.components.TinyVae;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.VaeImageProcessor;
import io.github.kolors4j.request.Mask;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.vae.AutoencoderTiny;
import io.github.kolors4j.vae.DiagonalGaussianDistribution;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The latents that the denoising begins with; diffusers' {@code prepare_latents} of all kinds.
 * Noise is drawn in the order of the pipeline that has the task there, so that a seed gives its
 * picture.
 */
final class InitialLatents {
  private static final Logger LOG = LoggerFactory.getLogger(InitialLatents.class);

  private static final int RGB = 3;
  private static final float[] NO_MASK = new float[0];

  private final Components components;
  private final ResolvedRequest request;
  private final LatentSize size;
  private final Timetable timetable;

  /** The image that was encoded last, and without what a mask marks. */
  private @Nullable Encoded encoded;

  private @Nullable Encoded encodedMasked;

  /** What the VAE made of an image. */
  private record Encoded(KolorsImage image, float[] moments) {}

  InitialLatents(Components components, ResolvedRequest request, Timetable timetable) {
    this.components = components;
    this.request = request;
    this.size = request.size();
    this.timetable = timetable;
  }

  /** What one image begins with. */
  Beginning of(int index, NoiseSource noise) {
    return switch (request.request().start()) {
      case Start.Noise _ -> Beginning.of(atInitialSigma(drawn(noise)));
      case Start.Latents(FloatArray latents) -> Beginning.of(atInitialSigma(given(latents, index)));
      case Start.Image image when image.mask().isPresent() ->
          switch (image.mask().get()) {
            case Mask.Inpainting mask -> inpainting(image, mask, index, noise);
            case Mask.StrengthMap map -> differential(image, map, index, noise);
          };
      // as diffusers: already noisy
      case Start.Image image when image.latents().isPresent() ->
          Beginning.of(given(image.latents().get(), index));
      case Start.Image image -> Beginning.of(imageToImage(image, index, noise));
    };
  }

  /** Drawn noise or given latents, times the scheduler's initial sigma. */
  private float[] atInitialSigma(float[] latents) {
    float initNoiseSigma = timetable.schedule().initNoiseSigma();
    for (int i = 0; i < latents.length; i++) {
      latents[i] *= initNoiseSigma;
    }
    return latents;
  }

  /** The image's latents, with the noise of the step that is taken first. */
  private float[] imageToImage(Start.Image from, int index, NoiseSource noise) {
    float[] initLatents = imageLatents(from, index, noise);
    if (from.denoisingStart().isEmpty()) {
      Slice latents = Slice.of(initLatents);
      timetable.schedule().addNoise(timetable.begin(), latents, Slice.of(drawn(noise)), latents);
    }
    return initLatents;
  }

  /** As {@code KolorsInpaintPipeline} has it: given latents are the noise here. */
  private Beginning inpainting(
      Start.Image from, Mask.Inpainting mask, int index, NoiseSource noise) {
    boolean addNoise = from.denoisingStart().isEmpty();
    boolean pureNoise = addNoise && (from.strength() == 1 || from.latents().isPresent());
    boolean seesMask = components.unet().config().inChannels() > size.channels();

    float[] imageLatents =
        seesMask && pureNoise ? new float[size.values()] : imageLatents(from, index, noise);
    float[] drawn =
        addNoise && from.latents().isPresent() ? given(from.latents().get(), index) : drawn(noise);
    LatentBlend.NoisyImage original = new LatentBlend.NoisyImage(timetable, imageLatents, drawn);
    float[] latents =
        pureNoise
            ? atInitialSigma(drawn.clone())
            : addNoise ? original.at(timetable.begin()) : imageLatents.clone();

    float[] pixels = maskOfPixels(mask);
    float[] cells = maskOfCells(pixels);
    if (index == 0) {
      warnOfNothingMarked(cells);
    }
    if (seesMask) {
      float[] masked = latentsOf(from.image(index), pixels, noise);
      return new Beginning(latents, LatentBlend.NONE, Optional.of(maskChannels(cells, masked)));
    }
    if (from.encoded().isEmpty()) {
      drawn(noise); // for the masked image, which the reference encodes and such a U-Net never sees
    }
    return new Beginning(
        latents,
        new LatentBlend.Inpainting(timetable, original, cells, request.likeDiffusers()),
        Optional.empty());
  }

  /** As {@code KolorsDifferentialImg2ImgPipeline} has it: what it draws first, it throws away. */
  private Beginning differential(
      Start.Image from, Mask.StrengthMap map, int index, NoiseSource noise) {
    if (from.latents().isEmpty()) {
      if (from.encoded().isEmpty()) {
        drawn(noise);
      }
      if (from.denoisingStart().isEmpty()) {
        drawn(noise);
      }
    }
    LatentBlend.NoisyImage original =
        new LatentBlend.NoisyImage(timetable, imageLatents(from, index, noise), drawn(noise));
    float[] kept = VaeImageProcessor.brightness(map.image(), size.width(), size.height());
    return new Beginning(
        new float[size.values()],
        new LatentBlend.Differential(timetable, original, kept, stepsOfMap()),
        Optional.empty());
  }

  /** The number of steps that was asked for; a step of two runs of the U-Net counts twice. */
  private int stepsOfMap() {
    return timetable.schedule().order() == 1
            && request.request().steps() instanceof Steps.Count(int count)
        ? count
        : timetable.timesteps().length;
  }

  /** 1 where a pixel is painted, else 0 {@code [height, width]}. */
  private float[] maskOfPixels(Mask.Inpainting mask) {
    int width = request.width();
    int height = request.height();
    KolorsImage seen =
        request
            .region()
            .map(region -> region.cut(mask.image(), width, height))
            .orElse(mask.image());
    float[] pixels = VaeImageProcessor.brightness(seen, width, height);
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = pixels[i] < 0.5f ? 0 : 1;
    }
    return pixels;
  }

  /** Of a mask that is black, or became so by a blur or at the size of the latents. */
  private void warnOfNothingMarked(float[] cells) {
    for (float cell : cells) {
      if (cell != 0) {
        return;
      }
    }
    LOG.warn(
        "[request] the mask marks nothing of the {}x{} latents: from half of white on it does, so the picture stays as it is. Mark more, or blur less.",
        size.width(),
        size.height());
  }

  /** Each cell as its first pixel is, as nearest neighbours have it {@code [h, w]}. */
  private float[] maskOfCells(float[] pixels) {
    int f = request.width() / size.width();
    float[] cells = new float[size.cells()];
    for (int cell = 0; cell < cells.length; cell++) {
      int x = cell % size.width() * f;
      int y = cell / size.width() * f;
      cells[cell] = pixels[y * request.width() + x];
    }
    return cells;
  }

  /** {@code mask [h, w]} beside {@code latents [h, w, c]} of the masked image. */
  private float[] maskChannels(float[] mask, float[] latents) {
    int c = size.channels();
    float[] channels = new float[mask.length * (1 + c)]; // [h, w, 1 + c]
    for (int cell = 0; cell < mask.length; cell++) {
      channels[cell * (1 + c)] = mask[cell];
      System.arraycopy(latents, cell * c, channels, cell * (1 + c) + 1, c);
    }
    return channels;
  }

  /** Those that were given, or a sample of what the VAE makes of the image. */
  private float[] imageLatents(Start.Image from, int index, NoiseSource noise) {
    return from.encoded().isPresent()
        ? given(from.encoded().get(), from.encoded().get().shape().dim(0) == 1 ? 0 : index)
        : latentsOf(from.image(index), NO_MASK, noise);
  }

  /** What a tiny autoencoder makes of an image, or a sample of what the VAE does. */
  private float[] latentsOf(KolorsImage image, float[] mask, NoiseSource noise) {
    Optional<TinyVae> tiny = components.tinyVae().filter(TinyVae::replacesVae);
    return tiny.isPresent()
        ? encodeTiny(tiny.get().model(), image, mask)
        : sample(posterior(image, mask), noise);
  }

  /** It does not draw. */
  private float[] encodeTiny(AutoencoderTiny vae, KolorsImage image, float[] mask) {
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      float[] latents = vae.encode(pixels(workspace, image, mask)).toArray(); // [1, h, w, c]
      for (int i = 0; i < latents.length; i++) {
        latents[i] *= vae.config().scalingFactor();
      }
      return latents;
    }
  }

  /** A sample of a distribution with moments {@code [1, h, w, 2c]}, times the scaling factor. */
  private float[] sample(float[] moments, NoiseSource noise) {
    float scalingFactor = components.vae().config().scalingFactor();
    try (Workspace workspace = components.workspace()) {
      DiagonalGaussianDistribution posterior =
          new DiagonalGaussianDistribution(
              workspace.copyOf(moments, 1, size.height(), size.width(), 2 * size.channels()));
      Tensor drawn =
          workspace.copyOf(drawn(noise), 1, size.height(), size.width(), size.channels());
      float[] latents = posterior.sample(drawn).toArray(); // [1, h, w, c]
      for (int i = 0; i < latents.length; i++) {
        latents[i] *= scalingFactor;
      }
      return latents;
    }
  }

  /** Encoded once for all pictures that begin with the same image. */
  private float[] posterior(KolorsImage image, float[] mask) {
    Encoded known = mask.length == 0 ? encoded : encodedMasked;
    if (known != null && known.image.equals(image)) {
      return known.moments;
    }
    Encoded made = new Encoded(image, encode(image, mask));
    if (mask.length == 0) {
      encoded = made;
    } else {
      encodedMasked = made;
    }
    return made.moments;
  }

  private float[] encode(KolorsImage image, float[] mask) {
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      Tensor pixels = pixels(workspace, image, mask);
      DiagonalGaussianDistribution made =
          request.request().vaeTiling()
              ? components.vae().encodeTiled(pixels)
              : components.vae().encode(pixels);
      return made.parameters().toArray();
    }
  }

  /** An image, or the region of it, grey where a mask {@code [height, width]} is 1. */
  private Tensor pixels(Workspace workspace, KolorsImage image, float[] mask) {
    int width = request.width();
    int height = request.height();
    KolorsImage seen =
        request.region().map(region -> region.cut(image, width, height)).orElse(image);
    Tensor pixels = VaeImageProcessor.preprocess(workspace, seen, width, height);
    for (int i = 0; i < mask.length; i++) {
      if (mask[i] != 0) {
        Arrays.fill(pixels.data(), i * RGB, (i + 1) * RGB, 0);
      }
    }
    return pixels;
  }

  private float[] drawn(NoiseSource noise) {
    float[] latents = new float[size.values()];
    noise.draw(latents);
    return latents;
  }

  private float[] given(FloatArray values, int row) {
    float[] latents = new float[size.values()];
    ChannelOrder.toChannelsLast(values, row, size, latents);
    return latents;
  }
}
