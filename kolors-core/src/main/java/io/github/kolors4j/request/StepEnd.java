package io.github.kolors4j.request;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.tensor.FloatArray;

/**
 * The end of one denoising step, as a {@link StepCallback} sees it: valid until the callback
 * returns. Afterwards all but {@link #progress} throw an {@link IllegalStateException}.
 */
public interface StepEnd {
  /**
   * Which step of which image, and how long the rest will take.
   *
   * @return the progress after this step
   */
  Progress progress();

  /**
   * The latents after this step.
   *
   * @return {@code [1, c, h/f, w/f]} in PyTorch's order, before the division by the scaling factor;
   *     a copy
   */
  FloatArray latents();

  /**
   * Replaces the latents: the next step, or the VAE, goes on from these.
   *
   * @param latents {@code [1, c, h/f, w/f]} in PyTorch's order
   * @throws IllegalArgumentException if they have another shape
   */
  void setLatents(FloatArray latents);

  /**
   * The guidance scale of the next step.
   *
   * @return the request's, unless a callback has changed it
   */
  double guidanceScale();

  /**
   * Changes the guidance scale from the next step of this image on.
   *
   * @param guidanceScale at most 1 for no guidance, which halves the work
   * @throws IllegalArgumentException if it is above 1 and the request began without guidance
   */
  void setGuidanceScale(double guidanceScale);

  /**
   * The encoded prompts; diffusers' {@code prompt_embeds} of the callback.
   *
   * @return {@code [n, s, d]}: the negative one where the request has guidance, the positive one,
   *     and the positive one again where it has perturbed attention; a copy
   */
  FloatArray promptEmbeds();

  /**
   * Replaces the encoded prompts from the next step of this image on. What depends on them is
   * computed anew.
   *
   * @param promptEmbeds shaped as {@link #promptEmbeds} gives them
   * @throws IllegalArgumentException if they have another shape
   */
  void setPromptEmbeds(FloatArray promptEmbeds);

  /**
   * The pooled prompts; diffusers' {@code add_text_embeds} of the callback.
   *
   * @return {@code [n, d]}, in the order of {@link #promptEmbeds}; a copy
   */
  FloatArray addTextEmbeds();

  /**
   * Replaces the pooled prompts from the next step of this image on.
   *
   * @param addTextEmbeds shaped as {@link #addTextEmbeds} gives them
   * @throws IllegalArgumentException if they have another shape
   */
  void setAddTextEmbeds(FloatArray addTextEmbeds);

  /**
   * The sizes that the U-Net is told; diffusers' {@code add_time_ids} of the callback.
   *
   * @return {@code [n, 6]}: original height and width, top and left of the crop, target height and
   *     width, in the order of {@link #promptEmbeds}; a copy
   */
  FloatArray addTimeIds();

  /**
   * Replaces the sizes from the next step of this image on.
   *
   * @param addTimeIds shaped as {@link #addTimeIds} gives them
   * @throws IllegalArgumentException if they have another shape
   */
  void setAddTimeIds(FloatArray addTimeIds);

  /**
   * The picture that the model saw in the latents before this step, which the step went towards;
   * diffusers' {@code pred_original_sample}. Early in a run it is blurred, not noisy.
   *
   * @return {@code [1, c, h/f, w/f]} in PyTorch's order, before the division by the scaling factor;
   *     after the last step of all, and with a scheduler of one's own that does not say it, the
   *     latents themselves
   */
  FloatArray predictedOriginalSample();

  /**
   * Decodes {@link #predictedOriginalSample}.
   *
   * @param method what by
   * @return the picture so far; with {@link PreviewMethod#LATENT_COLOURS} a pixel a latent cell
   * @throws IllegalStateException if the pipeline was opened without a tiny autoencoder and is
   *     asked for its picture
   */
  KolorsImage preview(PreviewMethod method);

  /**
   * Decodes {@link #predictedOriginalSample} at the whole size: by the pipeline's tiny autoencoder
   * where it has one, else by the VAE, as costly as the finished picture.
   *
   * @return the picture so far
   */
  KolorsImage preview();

  /**
   * Shows {@link #predictedOriginalSample} as well as it can be had for next to nothing.
   *
   * @return the picture of the pipeline's tiny autoencoder; where it has none, one of a pixel a
   *     latent cell
   */
  KolorsImage quickPreview();

  /**
   * Ends the request: no further step and no decoding; see {@link CancellationToken}. Under {@link
   * Compatibility#DIFFUSERS} the image's latents are decoded all the same.
   */
  void cancel();
}
