package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.components.TinyVae;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.LatentColours;
import io.github.kolors4j.image.VaeImageProcessor;
import io.github.kolors4j.request.PreviewMethod;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.vae.AutoencoderTiny;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * From latents to a picture.
 *
 * @param components the VAE
 * @param size of the latents
 * @param vaeTiling whether the VAE works on tiles
 */
record LatentDecoder(Components components, LatentSize size, boolean vaeTiling) {

  /** Whether there is a tiny autoencoder for previews. */
  boolean hasTinyVae() {
    return components.tinyVae().isPresent();
  }

  /** The picture of latents {@code [h, w, c]} that are not finished. */
  KolorsImage preview(float[] latents, PreviewMethod method) {
    return switch (method) {
      case LATENT_COLOURS ->
          LatentColours.of(components.vae().config())
              .picture(ChannelOrder.toChannelsFirst(latents, size));
      case TINY_VAE -> decodeTiny(tinyVae(), latents, _ -> {});
      case VAE -> decode(latents, _ -> {});
    };
  }

  private AutoencoderTiny tinyVae() {
    return components
        .tinyVae()
        .map(TinyVae::model)
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "[callback] a preview by TINY_VAE: the pipeline has no tiny autoencoder. Open"
                        + " it with KolorsPipeline.Builder.previewVae."));
  }

  /** The picture of finished latents, in a run, which a value that is no finite number ends. */
  KolorsImage decode(float[] latents, RunState run) {
    return decode(
        latents,
        decoded ->
            run.requireFinite(
                "the decoding", decoded.data(), decoded.shape().size(), Stage.DECODE, 1));
  }

  private KolorsImage decode(float[] latents, Consumer<Tensor> check) {
    Optional<TinyVae> tiny = components.tinyVae().filter(TinyVae::replacesVae);
    return tiny.isPresent()
        ? decodeTiny(tiny.get().model(), latents, check)
        : decodeWhole(latents, check);
  }

  private KolorsImage decodeTiny(AutoencoderTiny vae, float[] latents, Consumer<Tensor> check) {
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      Tensor decoded = vae.decode(unscaled(workspace, latents, vae.config().scalingFactor()));
      check.accept(decoded);
      return VaeImageProcessor.postprocess(decoded, 0);
    }
  }

  private KolorsImage decodeWhole(float[] latents, Consumer<Tensor> check) {
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      Tensor scaled = unscaled(workspace, latents, components.vae().config().scalingFactor());
      Tensor decoded =
          vaeTiling ? components.vae().decodeTiled(scaled) : components.vae().decode(scaled);
      check.accept(decoded);
      return VaeImageProcessor.postprocess(decoded, 0);
    }
  }

  /** Unscales, or denormalizes, latents. */
  private Tensor unscaled(Workspace workspace, float[] latents, float scalingFactor) {
    Tensor scaled = workspace.copyOf(latents, 1, size.height(), size.width(), size.channels());
    for (int i = 0; i < latents.length; i++) {
      scaled.data()[i] = latents[i] / scalingFactor;
    }
    return scaled;
  }
}
