package io.github.kolors4j.run;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.PreviewMethod;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.StepEnd;
import io.github.kolors4j.tensor.FloatArray;

/** A step that a callback looks at, and the state that the callback may change. */
final class CompletedStep implements StepEnd {
  private final Progress progress;
  private final DenoisingState state;
  private final LatentDecoder decoder;
  private boolean over;
  private boolean cancelled;

  CompletedStep(Progress progress, DenoisingState state, LatentDecoder decoder) {
    this.progress = progress;
    this.state = state;
    this.decoder = decoder;
  }

  @Override
  public Progress progress() {
    return progress;
  }

  @Override
  public FloatArray latents() {
    checkValid();
    return state.latentsChannelsFirst();
  }

  @Override
  public void setLatents(FloatArray latents) {
    checkValid();
    state.setLatents(latents);
  }

  @Override
  public double guidanceScale() {
    checkValid();
    return state.guidanceScale();
  }

  @Override
  public void setGuidanceScale(double guidanceScale) {
    checkValid();
    state.setGuidanceScale(guidanceScale);
  }

  @Override
  public FloatArray promptEmbeds() {
    checkValid();
    return state.all(BatchRow::promptEmbeds);
  }

  @Override
  public void setPromptEmbeds(FloatArray promptEmbeds) {
    checkValid();
    state.replace(
        "prompt_embeds",
        promptEmbeds,
        BatchRow::promptEmbeds,
        (row, own) -> new BatchRow(own, row.addTextEmbeds(), row.addTimeIds()));
  }

  @Override
  public FloatArray addTextEmbeds() {
    checkValid();
    return state.all(BatchRow::addTextEmbeds);
  }

  @Override
  public void setAddTextEmbeds(FloatArray addTextEmbeds) {
    checkValid();
    state.replace(
        "add_text_embeds",
        addTextEmbeds,
        BatchRow::addTextEmbeds,
        (row, own) -> new BatchRow(row.promptEmbeds(), own, row.addTimeIds()));
  }

  @Override
  public FloatArray addTimeIds() {
    checkValid();
    return state.all(BatchRow::addTimeIds);
  }

  @Override
  public void setAddTimeIds(FloatArray addTimeIds) {
    checkValid();
    state.replace(
        "add_time_ids",
        addTimeIds,
        BatchRow::addTimeIds,
        (row, own) -> new BatchRow(row.promptEmbeds(), row.addTextEmbeds(), own));
  }

  @Override
  public FloatArray predictedOriginalSample() {
    checkValid();
    return state.originalSampleChannelsFirst();
  }

  @Override
  public KolorsImage preview(PreviewMethod method) {
    checkValid();
    return decoder.preview(state.originalSample(), method);
  }

  @Override
  public KolorsImage preview() {
    return preview(decoder.hasTinyVae() ? PreviewMethod.TINY_VAE : PreviewMethod.VAE);
  }

  @Override
  public KolorsImage quickPreview() {
    return preview(decoder.hasTinyVae() ? PreviewMethod.TINY_VAE : PreviewMethod.LATENT_COLOURS);
  }

  @Override
  public void cancel() {
    checkValid();
    cancelled = true;
  }

  boolean cancelled() {
    return cancelled;
  }

  void end() {
    over = true;
  }

  private void checkValid() {
    if (over) {
      throw new IllegalStateException(
          "[callback] the step is over: its latents can be read inside onStepEnd only.");
    }
  }
}
