package io.github.kolors4j.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A U-Net that paints into a picture, so that its sample has nine channels: alone, and with what a
 * ControlNet or an image prompt would add.
 */
class NineChannelsTest {
  private static final int SKIPS = 6;

  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);
  private Fixture fixture;
  private UNet2DConditionModel unet;
  private UNet2DConditionInput input;

  @BeforeEach
  void open() throws IOException {
    fixture = Fixture.open("unet/nine_channels");
    unet = UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
    Tensor sample = fixture.tensor(workspace, "input.sample");
    input = UNet2DConditionInput.of(sample, fixture.floats("input.timestep")[0], prepare(unet));
  }

  private Conditioning prepare(UNet2DConditionModel model) {
    return model.prepare(
        fixture.tensor(workspace, "input.encoder_hidden_states"),
        fixture.tensor(workspace, "input.text_embeds"),
        fixture.rows("input.time_ids"));
  }

  @AfterEach
  void close() {
    fixture.close();
    workspace.close();
    threads.close();
  }

  private AdditionalResiduals residuals() {
    List<Tensor> down = new ArrayList<>();
    for (int i = 0; i < SKIPS; i++) {
      down.add(fixture.tensor(workspace, "input.down_block_additional_residuals." + i));
    }
    return new AdditionalResiduals(
        down, fixture.tensor(workspace, "input.mid_block_additional_residual"));
  }

  @Test
  void predictsAsDiffusersDoes() {
    assertEquals(9, unet.config().inChannels());
    fixture.assertClose("output.sample", unet.forward(input));
  }

  @Test
  void addsResidualsToSkipsAndMiddleAsDiffusersDoes() {
    UNet2DConditionInput controlled = input.withAdditionalResiduals(residuals());
    Tensor prediction = unet.forward(controlled);
    fixture.assertClose("output.controlled", prediction);

    // What was added is the caller's, and is there for the next step.
    assertArrayEquals(prediction.toArray(), unet.forward(controlled).toArray());
    assertArrayEquals(
        residuals().midBlock().toArray(),
        controlled.additionalResiduals().orElseThrow().midBlock().toArray());
  }

  @Test
  void residualsOfZerosChangeNothing() {
    AdditionalResiduals residuals = residuals();
    AdditionalResiduals zeros =
        new AdditionalResiduals(
            residuals.downBlocks().stream().map(this::zeros).toList(), zeros(residuals.midBlock()));
    assertArrayEquals(
        unet.forward(input).toArray(),
        unet.forward(input.withAdditionalResiduals(zeros)).toArray());
  }

  private Tensor zeros(Tensor like) {
    return workspace.copyOf(new float[like.shape().size()], like.shape().dims());
  }

  @Test
  void aSampleOfTheBatchMayBeLeftUncontrolled() {
    AdditionalResiduals residuals = residuals();
    residuals.downBlocks().forEach(NineChannelsTest::clearFirst);
    clearFirst(residuals.midBlock());
    float[] plain = unet.forward(input).toArray();
    float[] controlled = unet.forward(input.withAdditionalResiduals(residuals())).toArray();
    float[] second = unet.forward(input.withAdditionalResiduals(residuals)).toArray();
    int half = plain.length / 2;
    assertArrayEquals(Arrays.copyOf(plain, half), Arrays.copyOf(second, half));
    assertArrayEquals(
        Arrays.copyOfRange(controlled, half, 2 * half), Arrays.copyOfRange(second, half, 2 * half));
  }

  private static void clearFirst(Tensor residual) {
    Arrays.fill(residual.data(), 0, residual.shape().size() / 2, 0);
  }

  @Test
  void refusesResidualsThatDoNotFit() {
    AdditionalResiduals all = residuals();
    assertRefused(
        "[unet] 5 additional residuals of down blocks are given: 6 are needed, one a skip.",
        new AdditionalResiduals(all.downBlocks().subList(0, 5), all.midBlock()));
    assertRefused(
        "[unet] the additional residual 0 of the down blocks has the shape [2, 4, 5, 12]:"
            + " [2, 7, 10, 8] is needed.",
        new AdditionalResiduals(all.downBlocks().reversed(), all.midBlock()));
    assertRefused(
        "[unet] the additional residual of the mid block has the shape [2, 7, 10, 8]:"
            + " [2, 4, 5, 12] is needed.",
        new AdditionalResiduals(all.downBlocks(), all.downBlocks().getFirst()));
  }

  private void assertRefused(String message, AdditionalResiduals residuals) {
    assertEquals(
        message,
        assertThrows(
                IllegalArgumentException.class,
                () -> unet.forward(input.withAdditionalResiduals(residuals)))
            .getMessage());
  }

  @Test
  void anImagePromptOfScaleZeroChangesNothing() {
    assertArrayEquals(unet.forward(input).toArray(), predict(unet, lookingTwice(0)).toArray());
  }

  /** Whoever finds the same once more, by half, finds values that are half as large again. */
  @Test
  void anImagePromptIsFoundBesideTheText() throws IOException {
    UNet2DConditionModel louder =
        unet.adapted(
            List.of((name, base) -> name.endsWith("attn2.to_v.weight") ? times(base, 1.5f) : base));
    Tensor expected = predict(louder, prepare(louder));
    Tensor twice = predict(unet, lookingTwice(0.5f));
    for (int i = 0; i < expected.shape().size(); i++) {
      assertEquals(expected.data()[i], twice.data()[i], 1e-5);
    }
  }

  /** The text, and once more the text as if it were an image. */
  private Conditioning lookingTwice(float scale) {
    IdentityHashMap<Attention, AttentionContext> again = new IdentityHashMap<>();
    unet.crossAttentions()
        .forEach(
            attention -> {
              AttentionContext text = input.conditioning().contexts(attention).getFirst();
              again.put(attention, new AttentionContext(text.key(), text.value(), scale));
            });
    return input.conditioning().adding(again);
  }

  private static Weight times(Weight base, float factor) {
    float[] values = base.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
    return Weight.of(base.name(), base.shape(), values);
  }

  private Tensor predict(UNet2DConditionModel model, Conditioning conditioning) {
    return model.forward(UNet2DConditionInput.of(input.sample(), input.timestep(), conditioning));
  }

  @Test
  void refusesTheConditioningOfAnotherModel() throws IOException {
    UNet2DConditionModel adapted = unet.adapted(List.of((_, base) -> base));
    assertEquals(
        "[unet] the conditioning has nothing for"
            + " down_blocks.1.attentions.0.transformer_blocks.0.attn2: it belongs to another model,"
            + " or to the same one under other adapters. Let this model prepare it.",
        assertThrows(IllegalArgumentException.class, () -> adapted.forward(input)).getMessage());
  }

  @Test
  void theDescendingHalfSaysWhichResidualsItGives() {
    assertEquals(
        residuals().downBlocks().stream().map(Tensor::shape).toList(),
        unet.config().encoder().residuals(Shape.of(2, 7, 10, 9)));
  }
}
