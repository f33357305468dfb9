package io.github.kolors4j.components;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.controlnet.ControlNetConfig;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNetEncoderConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The ControlNets that requests have used: each is opened once and stays open as long as the
 * checkpoint. Their weights are mapped, so that one which is not used costs no memory.
 */
public final class ControlNets implements AutoCloseable {
  private final Map<ControlNet, ControlNetModel> models = new HashMap<>();

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
    ControlNetModel model = model(net);
    checkThatTheyFit(net, model.config(), unet, vae);
    return model;
  }

  private synchronized ControlNetModel model(ControlNet net) {
    ControlNetModel open = models.get(net);
    if (open == null) {
      try {
        open = net.load();
      } catch (IOException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
      models.put(net, open);
    }
    return open;
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
    List<ControlNetModel> open;
    synchronized (this) {
      open = new ArrayList<>(models.values());
    }
    for (ControlNetModel each : open) {
      each.requireWholeFiles();
    }
  }

  @Override
  public synchronized void close() {
    models.values().forEach(ControlNetModel::close);
    models.clear();
  }
}
