package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;
import java.util.Optional;

/**
 * What a forward pass of {@link UNet2DConditionModel} takes.
 *
 * @param sample the noisy latents {@code [n, h, w, inChannels]}, of any height and width; the
 *     samples of a batch have nothing to do with each other
 * @param timestep the step's time, the same for all samples; may have a fraction
 * @param conditioning what {@link UNet2DConditionModel#prepare} of this model made for as many
 *     samples
 * @param additionalResiduals what a ControlNet adds; where empty, nothing is added
 * @param perturbedAttention the self-attentions that are replaced by the identity in some of the
 *     samples, as {@link UNet2DConditionModel#perturbedAttention} of this model chose them
 */
public record UNet2DConditionInput(
    Tensor sample,
    float timestep,
    Conditioning conditioning,
    Optional<AdditionalResiduals> additionalResiduals,
    PerturbedAttention perturbedAttention) {

  /**
   * What every pass takes: nothing is added to it and nothing perturbed.
   *
   * @param sample the noisy latents {@code [n, h, w, inChannels]}, of any height and width
   * @param timestep the step's time; may have a fraction
   * @param conditioning what {@link UNet2DConditionModel#prepare} made for as many samples
   * @return the input
   */
  public static UNet2DConditionInput of(Tensor sample, float timestep, Conditioning conditioning) {
    return new UNet2DConditionInput(
        sample, timestep, conditioning, Optional.empty(), PerturbedAttention.NONE);
  }

  /**
   * The same with what a ControlNet adds.
   *
   * @param residuals for each skip and the middle block, of as many samples
   * @return the input
   */
  public UNet2DConditionInput withAdditionalResiduals(AdditionalResiduals residuals) {
    return new UNet2DConditionInput(
        sample, timestep, conditioning, Optional.of(residuals), perturbedAttention);
  }

  /**
   * The same with the last samples predicted without the structure that some self-attentions give a
   * picture. The other samples are, to the last bit, what they are without. The batch is {@code
   * [negative, positive, positive]}, or without guidance {@code [positive, positive]}; the
   * perturbed ones have the text of those that they are compared with.
   *
   * @param choice which self-attentions, and how many samples
   * @return the input
   */
  public UNet2DConditionInput withPerturbedAttention(PerturbedAttention choice) {
    return new UNet2DConditionInput(sample, timestep, conditioning, additionalResiduals, choice);
  }
}
