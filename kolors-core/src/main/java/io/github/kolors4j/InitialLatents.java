package io.github.kolors4j;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.VaeImageProcessor;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.vae.DiagonalGaussianDistribution;

/** The latents that the denoising begins with; diffusers' {@code prepare_latents} of both kinds. */
final class InitialLatents {
  private final Components.Parts parts;
  private final ImageRequest request;
  private final LatentSize size;
  private final Timetable timetable;

  /** The image that was encoded last, and what the VAE made of it. */
  private KolorsImage encoded;

  private float[] moments;

  InitialLatents(
      Components.Parts parts, ImageRequest request, LatentSize size, Timetable timetable) {
    this.parts = parts;
    this.request = request;
    this.size = size;
    this.timetable = timetable;
  }

  /** The latents of one image {@code [h, w, c]}. */
  float[] of(int index, NoiseSource noise) {
    if (request.image().isEmpty()) {
      return textToImage(index, noise);
    }
    if (request.latents().isPresent()) {
      return given(request.latents().get(), index); // as diffusers: already noisy
    }
    return imageToImage(request.image().get(), index, noise);
  }

  /** Drawn noise or given latents, times the scheduler's initial sigma. */
  private float[] textToImage(int index, NoiseSource noise) {
    float[] latents =
        request.latents().isPresent() ? given(request.latents().get(), index) : drawn(noise);
    float initNoiseSigma = timetable.schedule().initNoiseSigma();
    for (int i = 0; i < latents.length; i++) {
      latents[i] *= initNoiseSigma;
    }
    return latents;
  }

  /** The image's latents, with the noise of the step that is taken first. */
  private float[] imageToImage(ImageToImage from, int index, NoiseSource noise) {
    float[] initLatents =
        from.latents().isPresent()
            ? given(from.latents().get(), from.latents().get().shape().dim(0) == 1 ? 0 : index)
            : encode(from.image(index), noise);
    if (from.denoisingStart().isEmpty()) {
      Slice latents = Slice.of(initLatents);
      timetable.schedule().addNoise(timetable.begin(), latents, Slice.of(drawn(noise)), latents);
    }
    return initLatents;
  }

  /** A sample of what the VAE makes of an image, times the scaling factor. */
  private float[] encode(KolorsImage image, NoiseSource noise) {
    float scalingFactor = parts.vae().config().scalingFactor();
    try (Workspace workspace = new Workspace(parts.threads())) {
      DiagonalGaussianDistribution posterior = posterior(workspace, image); // [1, h, w, 2c]
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
  private DiagonalGaussianDistribution posterior(Workspace workspace, KolorsImage image) {
    if (encoded != image) {
      try (var _ = workspace.scope()) {
        int height = request.height().getAsInt();
        int width = request.width().getAsInt();
        Tensor pixels = VaeImageProcessor.preprocess(workspace, image, width, height);
        DiagonalGaussianDistribution made =
            request.vaeTiling() ? parts.vae().encodeTiled(pixels) : parts.vae().encode(pixels);
        moments = made.parameters().toArray();
        encoded = image;
      }
    }
    return new DiagonalGaussianDistribution(
        workspace.copyOf(moments, 1, size.height(), size.width(), 2 * size.channels()));
  }

  private float[] drawn(NoiseSource noise) {
    float[] latents = new float[size.values()];
    noise.draw(latents);
    return latents;
  }

  private float[] given(FloatArray values, int row) {
    float[] latents = new float[size.values()];
    ChannelOrder.toChannelsLast(values.shared(), row * size.values(), size, latents);
    return latents;
  }
}
