package io.github.kolors4j.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UNet2DConditionModelTest {

  @ParameterizedTest
  @ValueSource(strings = {"kolors_like", "odd_latents", "one_image"})
  void predictsAsDiffusersDoes(String name) throws IOException {
    try (Fixture fixture = Fixture.open("unet/" + name);
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      UNet2DConditionModel unet =
          UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
      Conditioning conditioning = prepare(unet, fixture, workspace);
      Tensor sample = fixture.tensor(workspace, "input.sample");
      float timestep = fixture.floats("input.timestep")[0];
      UNet2DConditionInput input = UNet2DConditionInput.of(sample, timestep, conditioning);

      Tensor prediction = unet.forward(input);
      fixture.assertClose("output.sample", prediction);

      // The conditioning is not used up, and the workspace's arrays are reused.
      Tensor again = unet.forward(input);
      assertArrayEquals(prediction.toArray(), again.toArray());
    }
  }

  @Test
  void refusesTensorsThatDoNotFit() throws IOException {
    try (Fixture fixture = Fixture.open("unet/one_image");
        ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      UNet2DConditionModel unet =
          UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
      Conditioning conditioning = prepare(unet, fixture, workspace);
      assertRefused(
          "[unet] the sample has the shape [2, 8, 8, 4]: [1, height, width, 4] is needed.",
          () ->
              unet.forward(UNet2DConditionInput.of(workspace.tensor(2, 8, 8, 4), 1, conditioning)));
      assertRefused(
          "[unet] encoderHiddenStates have the shape [1, 7, 31]: [1, tokens, 30] is needed.",
          () -> unet.prepare(workspace.tensor(1, 7, 31), workspace.tensor(1, 30), new float[1][6]));
      assertRefused(
          "[unet] textEmbeds have the shape [1, 31]: [1, 30] is needed.",
          () -> unet.prepare(workspace.tensor(1, 7, 30), workspace.tensor(1, 31), new float[1][6]));
      assertRefused(
          "[unet] timeIds of a sample have 5 values: 6 are needed.",
          () -> unet.prepare(workspace.tensor(1, 7, 30), workspace.tensor(1, 30), new float[1][5]));
    }
  }

  private static Conditioning prepare(
      UNet2DConditionModel unet, Fixture fixture, Workspace workspace) {
    return unet.prepare(
        fixture.tensor(workspace, "input.encoder_hidden_states"),
        fixture.tensor(workspace, "input.text_embeds"),
        fixture.rows("input.time_ids"));
  }

  private static void assertRefused(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
