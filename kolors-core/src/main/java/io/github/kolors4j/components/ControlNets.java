package io.github.kolors4j.components;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.controlnet.ControlNetConfig;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNetEncoderConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;

/** The ControlNets that requests have used, open as long as the checkpoint. */
public final class ControlNets implements AutoCloseable {
  private final UsedModels<ControlNet, ControlNetModel> models = new UsedModels<>(ControlNet::load);

  /**
   * A ControlNet's weights.
   *
   * @param net which one
   * @param unet of the U-Net that it is to lead
   * @param vae of the VAE whose latents it sees
   * @return the model, which nobody else closes
   * @throws IllegalArgumentException if it cannot be opened, or is for another U-Net
   */
  public ControlNetModel model(
      ControlNet net, UNet2DConditionConfig unet, AutoencoderKLConfig vae) {
    ControlNetModel model = models.get(net);
    checkThatTheyFit(net, model.config(), unet, vae);
    return model;
  }

  private static void checkThatTheyFit(
      ControlNet net,
      ControlNetConfig config,
      UNet2DConditionConfig unet,
      AutoencoderKLConfig vae) {
    UNetEncoderConfig own = config.encoder();
    UNetEncoderConfig led = unet.encoder();
    checkEqual(net, "channels of the latents", own.inChannels(), vae.latentChannels());
    checkEqual(net, "pixels a latent cell", config.scaleFactor(), vae.scaleFactor());
    checkEqual(net, "values of a token", own.encoderHidDim(), led.encoderHidDim());
    checkEqual(net, "values of the pooled text", own.textEmbedDim(), led.textEmbedDim());
    Shape sample = Shape.of(1, 64, 64, 1);
    if (!own.residuals(sample).equals(led.residuals(sample))) {
      throw new IllegalArgumentException(
          "[controlnet] %s has blocks of %s channels and %s layers, and the U-Net of %s and %s: take one that was made for it."
              .formatted(
                  net,
                  own.blockOutChannels(),
                  own.layersPerBlock(),
                  led.blockOutChannels(),
                  led.layersPerBlock()));
    }
  }

  private static void checkEqual(ControlNet net, String what, int own, int needed) {
    if (own != needed) {
      throw new IllegalArgumentException(
          "[controlnet] %s is for %s %s, and the model has %s: take one that was made for it."
              .formatted(net, own, what, needed));
    }
  }

  /**
   * Whether the files of those that are open are still as long as they were.
   *
   * @throws InvalidFileException with the name of one that was cut short
   */
  public void requireWholeFiles() throws InvalidFileException {
    models.requireWholeFiles();
  }

  @Override
  public void close() {
    models.close();
  }
}
