package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.components.TinyVae;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.VaeImageProcessor;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.vae.AutoencoderTiny;
import io.github.kolors4j.vae.DiagonalGaussianDistribution;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The latents that the denoising begins with; diffusers' {@code prepare_latents} of both kinds. */
final class InitialLatents {
  private final Components components;
  private final ResolvedRequest request;
  private final LatentSize size;
  private final Timetable timetable;

  /** The image that was encoded last, and what the VAE made of it. */
  private @Nullable KolorsImage encoded;

  private float[] moments = new float[0];

  InitialLatents(Components components, ResolvedRequest request, Timetable timetable) {
    this.components = components;
    this.request = request;
    this.size = request.size();
    this.timetable = timetable;
  }

  /** The latents of one image {@code [h, w, c]}. */
  float[] of(int index, NoiseSource noise) {
    return switch (request.request().start()) {
      case Start.Noise _ -> atInitialSigma(drawn(noise));
      case Start.Latents(FloatArray latents) -> atInitialSigma(given(latents, index));
      // as diffusers: already noisy
      case Start.Image image when image.latents().isPresent() ->
          given(image.latents().get(), index);
      case Start.Image image -> imageToImage(image, index, noise);
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
    float[] initLatents =
        from.encoded().isPresent()
            ? given(from.encoded().get(), from.encoded().get().shape().dim(0) == 1 ? 0 : index)
            : encode(from.image(index), noise);
    if (from.denoisingStart().isEmpty()) {
      Slice latents = Slice.of(initLatents);
      timetable.schedule().addNoise(timetable.begin(), latents, Slice.of(drawn(noise)), latents);
    }
    return initLatents;
  }

  /** A sample of what the VAE makes of an image, times the scaling factor. */
  private float[] encode(KolorsImage image, NoiseSource noise) {
    Optional<TinyVae> tiny = components.tinyVae().filter(TinyVae::replacesVae);
    if (tiny.isPresent()) {
      return encodeTiny(tiny.get().model(), image);
    }
    float scalingFactor = components.vae().config().scalingFactor();
    try (Workspace workspace = components.workspace()) {
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

  /** What a tiny autoencoder makes of an image, which it does not draw. */
  private float[] encodeTiny(AutoencoderTiny vae, KolorsImage image) {
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      Tensor pixels =
          VaeImageProcessor.preprocess(workspace, image, request.width(), request.height());
      float[] latents = vae.encode(pixels).toArray(); // [1, h, w, c]
      for (int i = 0; i < latents.length; i++) {
        latents[i] *= vae.config().scalingFactor();
      }
      return latents;
    }
  }

  /** Encoded once for all pictures that begin with the same image. */
  private DiagonalGaussianDistribution posterior(Workspace workspace, KolorsImage image) {
    if (!image.equals(encoded)) {
      try (var _ = components.threads().turn();
          var _ = workspace.scope()) {
        Tensor pixels =
            VaeImageProcessor.preprocess(workspace, image, request.width(), request.height());
        DiagonalGaussianDistribution made =
            request.request().vaeTiling()
                ? components.vae().encodeTiled(pixels)
                : components.vae().encode(pixels);
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
    ChannelOrder.toChannelsLast(values, row, size, latents);
    return latents;
  }
}
