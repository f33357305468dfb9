package io.github.kolors4j;

import io.github.kolors4j.image.KolorsImage;
import java.util.function.Function;

/** The end of one denoising step, as a {@link StepCallback} sees it. */
public final class StepEnd {
  private final Progress progress;
  private final DenoisingState state;
  private final Function<float[], KolorsImage> preview;
  private boolean over;
  private boolean cancelled;

  StepEnd(Progress progress, DenoisingState state, Function<float[], KolorsImage> preview) {
    this.progress = progress;
    this.state = state;
    this.preview = preview;
  }

  /**
   * Which step of which image, and how long the rest will take.
   *
   * @return the progress after this step
   */
  public Progress progress() {
    return progress;
  }

  /**
   * The latents after this step.
   *
   * @return {@code [1, c, h/f, w/f]} in PyTorch's order, before the division by the scaling factor;
   *     a copy
   */
  public FloatArray latents() {
    checkValid();
    return state.latentsChannelsFirst();
  }

  /**
   * Replaces the latents: the next step, or the VAE, goes on from these.
   *
   * @param latents {@code [1, c, h/f, w/f]} in PyTorch's order
   * @throws IllegalArgumentException if they have another shape
   */
  public void setLatents(FloatArray latents) {
    checkValid();
    state.setLatents(latents);
  }

  /**
   * The guidance scale of the next step.
   *
   * @return the request's, unless a callback has changed it
   */
  public float guidanceScale() {
    checkValid();
    return state.guidanceScale();
  }

  /**
   * Changes the guidance scale from the next step of this image on.
   *
   * @param guidanceScale at most 1 for no guidance, which halves the work
   * @throws IllegalArgumentException if it is above 1 and the request began without guidance
   */
  public void setGuidanceScale(float guidanceScale) {
    checkValid();
    state.setGuidanceScale(guidanceScale);
  }

  /**
   * The encoded prompts; diffusers' {@code prompt_embeds} of the callback.
   *
   * @return {@code [n, s, d]}: the negative one where the request has guidance, the positive one,
   *     and the positive one again where it has perturbed attention; a copy
   */
  public FloatArray promptEmbeds() {
    checkValid();
    return state.all(ConditioningRow::promptEmbeds);
  }

  /**
   * Replaces the encoded prompts from the next step of this image on. What depends on them is
   * computed anew.
   *
   * @param promptEmbeds shaped as {@link #promptEmbeds} gives them
   * @throws IllegalArgumentException if they have another shape
   */
  public void setPromptEmbeds(FloatArray promptEmbeds) {
    checkValid();
    state.replace(
        "prompt_embeds",
        promptEmbeds,
        ConditioningRow::promptEmbeds,
        (row, own) -> new ConditioningRow(own, row.addTextEmbeds(), row.addTimeIds()));
  }

  /**
   * The pooled prompts; diffusers' {@code add_text_embeds} of the callback.
   *
   * @return {@code [n, d]}, in the order of {@link #promptEmbeds}; a copy
   */
  public FloatArray addTextEmbeds() {
    checkValid();
    return state.all(ConditioningRow::addTextEmbeds);
  }

  /**
   * Replaces the pooled prompts from the next step of this image on.
   *
   * @param addTextEmbeds shaped as {@link #addTextEmbeds} gives them
   * @throws IllegalArgumentException if they have another shape
   */
  public void setAddTextEmbeds(FloatArray addTextEmbeds) {
    checkValid();
    state.replace(
        "add_text_embeds",
        addTextEmbeds,
        ConditioningRow::addTextEmbeds,
        (row, own) -> new ConditioningRow(row.promptEmbeds(), own, row.addTimeIds()));
  }

  /**
   * The sizes that the U-Net is told; diffusers' {@code add_time_ids} of the callback.
   *
   * @return {@code [n, 6]}: original height and width, top and left of the crop, target height and
   *     width, in the order of {@link #promptEmbeds}; a copy
   */
  public FloatArray addTimeIds() {
    checkValid();
    return state.all(ConditioningRow::addTimeIds);
  }

  /**
   * Replaces the sizes from the next step of this image on.
   *
   * @param addTimeIds shaped as {@link #addTimeIds} gives them
   * @throws IllegalArgumentException if they have another shape
   */
  public void setAddTimeIds(FloatArray addTimeIds) {
    checkValid();
    state.replace(
        "add_time_ids",
        addTimeIds,
        ConditioningRow::addTimeIds,
        (row, own) -> new ConditioningRow(row.promptEmbeds(), row.addTextEmbeds(), own));
  }

  /**
   * Decodes the latents as they are, still noisy, by the whole VAE: as costly as the decoding of
   * the finished picture.
   *
   * @return the picture so far
   */
  public KolorsImage preview() {
    checkValid();
    return preview.apply(state.latents());
  }

  /**
   * Ends the request: no further step and no decoding; see {@link CancellationToken}. Under {@link
   * Compatibility#DIFFUSERS} the image's latents are decoded all the same.
   */
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
