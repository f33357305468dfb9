package io.github.kolors4j.controlnet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.AdditionalResiduals;
import io.github.kolors4j.unet.Conditioning;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The residuals of a ControlNet against those of diffusers' class. */
class ControlNetModelTest {
  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);
  private Fixture fixture;
  private ControlNetModel model;

  @BeforeEach
  void open() throws IOException {
    fixture = Fixture.open("controlnet/kolors_like");
    model = ControlNetModel.of(ControlNetConfig.of(fixture.config()), fixture.source());
  }

  @AfterEach
  void close() {
    fixture.close();
    workspace.close();
    threads.close();
  }

  private Conditioning conditioning() {
    return model.prepare(
        fixture.tensor(workspace, "input.encoder_hidden_states"),
        fixture.tensor(workspace, "input.text_embeds"),
        fixture.rows("input.time_ids"));
  }

  private Tensor embedded() {
    return model.embed(fixture.tensor(workspace, "input.controlnet_cond"));
  }

  private AdditionalResiduals residuals(double scale, boolean guessMode) {
    return model.forward(
        fixture.tensor(workspace, "input.sample"),
        fixture.floats("input.timestep")[0],
        conditioning(),
        embedded(),
        new ControlNetScale(scale, guessMode));
  }

  private void assertClose(String name, AdditionalResiduals actual) {
    for (int i = 0; i < actual.downBlocks().size(); i++) {
      fixture.assertClose("output." + name + ".down." + i, actual.downBlocks().get(i));
    }
    fixture.assertClose("output." + name + ".mid", actual.midBlock());
  }

  @Test
  void theResidualsAreThoseOfDiffusers() {
    AdditionalResiduals residuals = residuals(0.7, false);
    assertEquals(6, residuals.downBlocks().size());
    assertClose("scaled", residuals);
  }

  @Test
  void theResidualsOfGuessModeAreThoseOfDiffusers() {
    assertClose("guessed", residuals(1.25, true));
  }

  @Test
  void aStepLeavesNothingBehindForTheNext() {
    assertArrayEquals(
        residuals(1, false).midBlock().toArray(), residuals(1, false).midBlock().toArray());
  }

  @Test
  void theSamplesOfABatchHaveNothingToDoWithEachOther() {
    AdditionalResiduals both = residuals(1, false);
    AdditionalResiduals first =
        model.forward(
            row(fixture.tensor(workspace, "input.sample")),
            fixture.floats("input.timestep")[0],
            model.prepare(
                row(fixture.tensor(workspace, "input.encoder_hidden_states")),
                row(fixture.tensor(workspace, "input.text_embeds")),
                Arrays.copyOf(fixture.rows("input.time_ids"), 1)),
            embedded(),
            new ControlNetScale(1, false));
    float[] alone = first.midBlock().toArray();
    assertArrayEquals(alone, Arrays.copyOf(both.midBlock().toArray(), alone.length));
  }

  private Tensor row(Tensor batch) {
    int[] dims = batch.shape().dims();
    dims[0] = 1;
    float[] values = Arrays.copyOf(batch.toArray(), Shape.of(dims).size());
    return workspace.copyOf(values, dims);
  }

  @Test
  void aPictureOfAnotherSizeIsRefused() {
    Tensor picture = workspace.copyOf(new float[8 * 40 * 3], 1, 8, 40, 3);
    Tensor embedded = model.embed(picture);
    Tensor sample = fixture.tensor(workspace, "input.sample");
    Conditioning conditioning = conditioning();
    assertEquals(
        "[controlnet] the embedded picture has the shape [1, 2, 10, 10]: [1, 7, 10, 10] is needed,"
            + " that is a picture of 4 pixels a latent cell.",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    model.forward(sample, 1, conditioning, embedded, new ControlNetScale(1, false)))
            .getMessage());
  }

  @Test
  void aFileInThePlaceOfTheFolderIsNamed() throws IOException {
    Path file = MiniCheckpoint.controlNet().resolve("config.json");
    InvalidFileException refused =
        assertThrows(InvalidFileException.class, () -> ControlNet.of(file));
    assertEquals(
        "[controlnet] %s is a file: name the folder that has config.json and the weights."
            .formatted(file),
        refused.getMessage());
  }

  @Test
  void theNameOfTheClassDoesNotMatterAndUnsupportedValuesAreNamed() throws IOException {
    JsonConfig json = fixture.config();
    assertEquals(
        ControlNetConfig.of(json),
        ControlNetConfig.of(json.with("_class_name", "ControlNetModel_JQ")));
    assertEquals(4, ControlNetConfig.of(json).scaleFactor());
    InvalidFileException refused =
        assertThrows(
            InvalidFileException.class,
            () -> ControlNetConfig.of(json.with("global_pool_conditions", true)));
    assertTrue(refused.getMessage().contains("global_pool_conditions"), refused.getMessage());
  }

  @Test
  void whatIsAddedCountsTheLessInGuessModeTheFinerItIs() {
    ControlNetScale scale = new ControlNetScale(0.5, true);
    assertEquals(
        List.of(0.05f, 0.158113883f, 0.5f),
        List.of(scale.of(0, 3), scale.of(1, 3), scale.of(2, 3)));
    assertEquals(0.5f, new ControlNetScale(0.5, false).of(0, 3));
  }
}
