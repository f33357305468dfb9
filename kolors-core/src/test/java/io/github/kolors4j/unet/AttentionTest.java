package io.github.kolors4j.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A cross-attention to a text and to two image prompts, as diffusers' IP-Adapters set it up. */
class AttentionTest {
  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);
  private Fixture fixture;
  private Attention attention;
  private Tensor hiddenStates;
  private Tensor zeros;
  private AttentionContext text;
  private List<AttentionContext> images;

  @BeforeEach
  void open() throws IOException {
    fixture = Fixture.open("unet/attention_image_prompts");
    Weights weights = fixture.weights();
    attention = Attention.load(weights, 24, 20, 3);
    images = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Tensor tokens = fixture.tensor(workspace, "input.ip_hidden_states." + i);
      Weights processor = weights.at("processor");
      Linear toK = Linear.load(processor.at("to_k_ip").at(i), 20, 24, false);
      Linear toV = Linear.load(processor.at("to_v_ip").at(i), 20, 24, false);
      float scale = fixture.floats("input.scale")[i];
      images.add(new AttentionContext(toK.forward(tokens), toV.forward(tokens), scale));
    }
    weights.requireComplete();
    hiddenStates = fixture.tensor(workspace, "input.hidden_states");
    text = attention.context(fixture.tensor(workspace, "input.encoder_hidden_states"));
    zeros = workspace.copyOf(new float[2 * 15 * 24], 2, 15, 24);
  }

  @AfterEach
  void close() {
    fixture.close();
    workspace.close();
    threads.close();
  }

  @Test
  void looksAtTextAndImagesAsDiffusersDoes() {
    fixture.assertClose(
        "output.sample",
        attention.forward(hiddenStates, List.of(text, images.get(0), images.get(1)), zeros));
  }

  @Test
  void findsTheSumOfWhatItFindsInEachContext() {
    AttentionContext image = images.getFirst();
    float[] inText = attention.attend(hiddenStates, List.of(text)).toArray();
    float[] inImage = attention.attend(hiddenStates, List.of(scaled(image, 1))).toArray();
    float[] expected = new float[inText.length];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = inText[i] + 0.7f * inImage[i];
    }
    Tensor both = attention.attend(hiddenStates, List.of(text, scaled(image, 0.7f)));
    assertArrayEquals(expected, both.toArray());
  }

  @Test
  void aContextOfScaleZeroIsNotLookedAt() {
    // It could not be: these have no values.
    Tensor nothing = workspace.tensor(Shape.of(0, 0, 0));
    AttentionContext unseen = new AttentionContext(nothing, nothing, 0);
    assertArrayEquals(
        attention.attend(hiddenStates, List.of(text)).toArray(),
        attention.attend(hiddenStates, List.of(text, unseen)).toArray());
    assertEquals(zeros.shape(), attention.attend(hiddenStates, List.of(unseen)).shape());
    assertArrayEquals(
        zeros.toArray(), squares(attention.attend(hiddenStates, List.of(unseen)).toArray()));
  }

  @Test
  void whatItFindsAndTheProjectionOfItAreTwoSteps() {
    Tensor attended = attention.attend(hiddenStates, List.of(text));
    assertArrayEquals(
        attention.forward(hiddenStates, List.of(text), zeros).toArray(),
        attention.toOut().forward(attended, zeros).toArray());
  }

  private static AttentionContext scaled(AttentionContext context, float scale) {
    return new AttentionContext(context.key(), context.value(), scale);
  }

  /** Of 0 and −0 the same. */
  private static float[] squares(float[] values) {
    float[] squares = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      squares[i] = values[i] * values[i];
    }
    return squares;
  }
}
