package io.github.kolors4j.unet;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;

/** What a U-Net makes of the inputs of a fixture. */
public final class Prediction {
  private Prediction() {}

  /** The noise, {@code [n, h, w, c]}, in the workspace's memory. */
  public static Tensor of(UNet2DConditionModel unet, Fixture inputs, Workspace workspace) {
    Conditioning conditioning =
        unet.prepare(
            inputs.tensor(workspace, "input.encoder_hidden_states"),
            inputs.tensor(workspace, "input.text_embeds"),
            inputs.rows("input.time_ids"));
    return unet.forward(
        UNet2DConditionInput.of(
            inputs.tensor(workspace, "input.sample"),
            inputs.floats("input.timestep")[0],
            conditioning));
  }
}
