package io.github.kolors4j;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Schedule;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.Conditioning;
import io.github.kolors4j.unet.PerturbedAttention;
import io.github.kolors4j.unet.UNet2DConditionInput;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.util.List;
import java.util.function.Function;

/** Diffusers' denoising loop, for one image after another. */
final class DenoisingLoop implements AutoCloseable {
  private final UNet2DConditionModel unet;
  private final ImageRequest request;
  private final LatentSize size;
  private final Timetable timetable;
  private final PerturbedAttention perturbedAttention;
  private final Conditionings conditionings;

  DenoisingLoop(
      Components.Parts parts, ImageRequest request, LatentSize size, Timetable timetable) {
    this.unet = parts.unet();
    this.request = request;
    this.size = size;
    this.timetable = timetable;
    this.perturbedAttention =
        request.pag().on()
            ? unet.perturbedAttention(request.pag().appliedLayers(), 1)
            : unet.perturbedAttention(List.of(), 0);
    this.conditionings = new Conditionings(unet, parts.threads());
  }

  /**
   * Takes the steps of one image.
   *
   * @param state the latents, which are changed, and what the prompts and sizes are
   * @param noise the image's own
   * @param run for progress and cancellation
   * @param preview makes a picture of latents
   */
  void denoise(
      DenoisingState state,
      NoiseSource noise,
      RequestRun run,
      Function<float[], KolorsImage> preview) {
    Schedule.Run solver = timetable.schedule().start(noise, request.eta());
    for (int i = timetable.begin(); i < timetable.end(); i++) {
      run.checkCancelled();
      long stepBegin = System.nanoTime();
      float t = timetable.timesteps()[i];
      step(state, solver, i);
      Progress progress = run.endStep(t, stepBegin);
      if (request.onStepEnd().isPresent()) {
        StepEnd end = new StepEnd(progress, state, preview);
        run.callback(request.onStepEnd().get(), end);
        if (end.cancelled()) {
          return; // and decode what there is, as diffusers does
        }
      }
    }
  }

  private void step(DenoisingState state, Schedule.Run solver, int i) {
    float t = timetable.timesteps()[i];
    List<ConditioningRow> batch = state.batch();
    Conditioning conditioning = conditionings.of(batch);
    Workspace workspace = conditionings.workspace();
    try (var _ = workspace.scope()) {
      // expand the latents if we are doing classifier free guidance
      int n = batch.size();
      Tensor latentModelInput =
          workspace.tensor(n, size.height(), size.width(), size.channels()); // [n, h, w, c]
      Slice latents = Slice.of(state.latents());
      for (int row = 0; row < n; row++) {
        solver.scaleModelInput(i, latents, rowOf(latentModelInput, row));
      }

      // predict the noise residual
      Tensor noisePred =
          unet.forward(
              UNet2DConditionInput.of(latentModelInput, t, conditioning)
                  .withPerturbedAttention(perturbedAttention)); // [n, h, w, c]

      // perform guidance, and compute the previous noisy sample x_t -> x_t-1
      solver.step(i, guide(noisePred, state, t), latents);
    }
  }

  /** The guided prediction, in place of the first row: {@code [negative, positive, perturbed]}. */
  private Slice guide(Tensor noisePred, DenoisingState state, float t) {
    Slice guided = rowOf(noisePred, 0);
    Slice noisePredText = rowOf(noisePred, state.doClassifierFreeGuidance() ? 1 : 0);
    if (state.doClassifierFreeGuidance()) {
      Guidance.guide(guided, noisePredText, state.guidanceScale());
    }
    if (request.pag().on()) {
      float pagScale =
          Guidance.pagScaleAt(
              request.pag().scale(), request.pag().adaptiveScale(), t, request.likeDiffusers());
      Slice noisePredPerturb = rowOf(noisePred, noisePred.dim(0) - 1);
      Guidance.perturb(guided, noisePredText, noisePredPerturb, pagScale);
    }
    if (state.doClassifierFreeGuidance() && request.guidanceRescale() > 0) {
      Guidance.rescale(guided, noisePredText, request.guidanceRescale());
    }
    return guided;
  }

  /** Gives back what only the steps needed, before the VAE takes its turn. */
  void trim(boolean samePromptsFollow) {
    if (samePromptsFollow) {
      conditionings.trim();
    } else {
      conditionings.close();
    }
  }

  private static Slice rowOf(Tensor batch, int row) {
    int length = batch.shape().size() / batch.dim(0);
    return new Slice(batch.data(), row * length, length);
  }

  @Override
  public void close() {
    conditionings.close();
  }
}
