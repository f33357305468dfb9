package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.VaeImageProcessor;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import java.util.function.Consumer;

/**
 * From latents to a picture.
 *
 * @param components the VAE
 * @param size of the latents
 * @param vaeTiling whether the VAE works on tiles
 */
record LatentDecoder(Components components, LatentSize size, boolean vaeTiling) {

  /** The picture of the latents {@code [h, w, c]}. */
  KolorsImage decode(float[] latents) {
    return decode(latents, _ -> {});
  }

  /** The same in a run, which a value that is no finite number ends. */
  KolorsImage decode(float[] latents, RunState run) {
    return decode(
        latents,
        decoded ->
            run.requireFinite(
                "the decoding", decoded.data(), decoded.shape().size(), Stage.DECODE, 1));
  }

  private KolorsImage decode(float[] latents, Consumer<Tensor> check) {
    try (var _ = components.threads().turn();
        Workspace workspace = components.workspace()) {
      // unscale/denormalize the latents
      float scalingFactor = components.vae().config().scalingFactor();
      Tensor scaled = workspace.copyOf(latents, 1, size.height(), size.width(), size.channels());
      for (int i = 0; i < latents.length; i++) {
        scaled.data()[i] = latents[i] / scalingFactor;
      }
      Tensor decoded =
          vaeTiling ? components.vae().decodeTiled(scaled) : components.vae().decode(scaled);
      check.accept(decoded);
      return VaeImageProcessor.postprocess(decoded, 0);
    }
  }
}
