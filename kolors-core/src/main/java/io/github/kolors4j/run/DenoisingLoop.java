package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.events.StepEvent;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Schedule;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Elementwise;
import io.github.kolors4j.unet.Conditioning;
import io.github.kolors4j.unet.PerturbedAttention;
import io.github.kolors4j.unet.UNet2DConditionInput;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.util.List;

/** Diffusers' denoising loop, for one image after another. */
final class DenoisingLoop implements AutoCloseable {
  private final UNet2DConditionModel unet;
  private final ThreadPool threads;
  private final ResolvedRequest request;
  private final LatentSize size;
  private final Timetable timetable;
  private final LatentDecoder decoder;
  private final Intact intact;
  private final PerturbedAttention perturbedAttention;
  private final ControlResiduals controls;
  private final PreparedBatch prepared;

  DenoisingLoop(
      Components components,
      ResolvedRequest request,
      Timetable timetable,
      LatentDecoder decoder,
      Intact intact) {
    this.unet = components.unet();
    this.threads = components.threads();
    this.request = request;
    this.size = request.size();
    this.timetable = timetable;
    this.decoder = decoder;
    this.intact = intact;
    this.perturbedAttention =
        request.doPerturbedAttentionGuidance()
            ? unet.perturbedAttention(request.request().guidance().pag().appliedLayers(), 1)
            : unet.perturbedAttention(List.of(), 0);
    this.controls = new ControlResiduals(components, request, timetable);
    this.prepared = new PreparedBatch(components, controls);
  }

  /** Lets the steps look at images beside the text; before the first of them. */
  void lookAt(List<EncodedImagePrompt> images) {
    prepared.lookAt(images);
  }

  /**
   * Takes the steps of one image.
   *
   * @param state the latents, which are changed, and what the prompts and sizes are
   * @param beginning what holds a part of the latents to a picture
   * @param noise the image's own
   * @param run for progress and cancellation
   */
  void denoise(DenoisingState state, Beginning beginning, NoiseSource noise, RunState run) {
    Schedule.Run solver = timetable.schedule().start(noise, request.request().eta());
    Extrapolation extrapolation =
        new Extrapolation(
            timetable.predicted(request.request().predictEvery()), state.latents().length);
    OneImage image = new OneImage(state, beginning, solver, extrapolation, run.isWatched());
    for (int i = timetable.begin(); i < timetable.end(); i++) {
      run.checkCancelled();
      long stepBegin = System.nanoTime();
      float t = timetable.timesteps()[i];
      StepEvent event = new StepEvent();
      event.begin();
      try (var _ = threads.turn()) {
        beginning.blend().beforeStep(i, state.latents());
        step(image, i);
        beginning.blend().afterStep(i, state.latents());
      }
      if (event.shouldCommit()) {
        tell(event, i, state, run);
      }
      intact.check();
      run.requireFiniteStep(state.latents(), i - timetable.begin() + 1, t);
      Progress progress = run.endStep(t, stepBegin);
      CompletedStep end = new CompletedStep(progress, state, decoder);
      run.callback(end);
      if (end.cancelled()) {
        return; // and decode what there is, as diffusers does
      }
    }
  }

  private void tell(StepEvent event, int i, DenoisingState state, RunState run) {
    event.image = run.image();
    event.step = i - timetable.begin() + 1;
    event.steps = timetable.count();
    event.timestep = timetable.timesteps()[i];
    event.samples = state.batch().size();
    event.width = request.width();
    event.height = request.height();
    event.commit();
  }

  /**
   * The denoising of one image.
   *
   * @param watched whether somebody sees the ends of its steps
   */
  private record OneImage(
      DenoisingState state,
      Beginning beginning,
      Schedule.Run solver,
      Extrapolation extrapolation,
      boolean watched) {}

  private void step(OneImage image, int i) {
    DenoisingState state = image.state;
    float t = timetable.timesteps()[i];
    if (!image.extrapolation.isPredicted(i)) {
      advance(image, i, image.extrapolation.at(t));
      return;
    }
    Slice latents = Slice.of(state.latents());
    List<BatchRow> batch = state.batch();
    Conditioning conditioning = prepared.of(batch, state.doClassifierFreeGuidance() ? 1 : 0);
    Workspace workspace = prepared.workspace();
    try (var _ = workspace.scope()) {
      Tensor scaled =
          workspace.tensor(1, size.height(), size.width(), size.channels()); // [1, h, w, c]
      image.solver.scaleModelInput(i, latents, rowOf(scaled, 0));

      // expand the latents if we are doing classifier free guidance
      Tensor latentModelInput =
          expanded(scaled, image.beginning, batch.size()); // [n, h, w, c or more]
      UNet2DConditionInput input =
          UNet2DConditionInput.of(latentModelInput, t, conditioning)
              .withPerturbedAttention(perturbedAttention);

      // controlnet(s) inference
      UNet2DConditionInput controlled =
          controls.of(i, scaled).map(input::withAdditionalResiduals).orElse(input);

      // predict the noise residual
      Tensor noisePred = unet.forward(controlled); // [n, h, w, c]

      // perform guidance, and compute the previous noisy sample x_t -> x_t-1
      Slice guided = guide(noisePred, state, t);
      image.extrapolation.predicted(t, guided);
      advance(image, i, guided);
    }
  }

  /** From x_t to x_t-1 by a prediction. */
  private void advance(OneImage image, int i, Slice guided) {
    DenoisingState state = image.state;
    if (image.watched) {
      state.setOriginalSample(originalSample(image.solver, i, guided, state.latents()));
    }
    image.solver.step(i, guided, Slice.of(state.latents()));
  }

  /** Each row of the batch: the latents, and for inpainting the mask and what it leaves. */
  private static Tensor expanded(Tensor scaled, Beginning beginning, int n) {
    Tensor row =
        beginning
            .maskChannels()
            .map(
                channels -> {
                  int more = channels.length / (scaled.dim(1) * scaled.dim(2));
                  Tensor beside =
                      scaled.workspace().copyOf(channels, 1, scaled.dim(1), scaled.dim(2), more);
                  return Elementwise.concat(scaled, beside); // [1, h, w, c + 1 + c]
                })
            .orElse(scaled);
    Tensor all = row.workspace().tensor(n, row.dim(1), row.dim(2), row.dim(3));
    for (int i = 0; i < n; i++) {
      System.arraycopy(row.data(), 0, all.data(), i * row.shape().size(), row.shape().size());
    }
    return all;
  }

  /** What the model sees in the latents; after the last step of all they are it themselves. */
  private float[] originalSample(Schedule.Run solver, int i, Slice guided, float[] latents) {
    if (i + 1 == timetable.timesteps().length) {
      return latents;
    }
    float[] original = new float[latents.length];
    solver.predictOriginalSample(i, guided, Slice.of(latents), Slice.of(original));
    return original;
  }

  /** The guided prediction, in place of the first row: {@code [negative, positive, perturbed]}. */
  private Slice guide(Tensor noisePred, DenoisingState state, float t) {
    Slice guided = rowOf(noisePred, 0);
    Slice noisePredText = rowOf(noisePred, state.doClassifierFreeGuidance() ? 1 : 0);
    if (state.doClassifierFreeGuidance()) {
      Guider.guide(guided, noisePredText, state.guidanceScale());
    }
    if (request.doPerturbedAttentionGuidance()) {
      float pagScale =
          Guider.pagScaleAt(
              request.pagScale(), request.pagAdaptiveScale(), t, request.likeDiffusers());
      Slice noisePredPerturb = rowOf(noisePred, noisePred.dim(0) - 1);
      Guider.perturb(guided, noisePredText, noisePredPerturb, pagScale);
    }
    if (state.doClassifierFreeGuidance() && request.guidanceRescale() > 0) {
      Guider.rescale(guided, noisePredText, request.guidanceRescale());
    }
    return guided;
  }

  /** Gives back what only the steps needed, before the VAE takes its turn. */
  void trim(boolean samePromptsFollow) {
    if (samePromptsFollow) {
      prepared.trim();
    } else {
      prepared.close();
    }
  }

  private static Slice rowOf(Tensor batch, int row) {
    int length = batch.shape().size() / batch.dim(0);
    return new Slice(batch.data(), row * length, length);
  }

  @Override
  public void close() {
    prepared.close();
  }
}
