package io.github.kolors4j;

import static io.github.kolors4j.Controls.onStepEnd;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.EncodedPrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.tensor.FloatArray;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The mini checkpoint's pictures against those of diffusers' KolorsPipeline. */
class KolorsPipelineDiffusersTest {
  private static final double MAX_LATENTS_RMS = 1e-3;
  private static final int MAX_PIXEL_DIFFERENCE = 2;
  private static final double MIN_WITHIN_ONE = 0.99;

  private static KolorsPipeline pipeline;
  private static PipelineFixture latents;
  private static PipelineFixture images;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(PipelineFixture.CHECKPOINT);
    latents = PipelineFixture.open("latents");
    images = PipelineFixture.open("images");
  }

  @AfterAll
  static void close() {
    pipeline.close();
    latents.close();
    images.close();
  }

  static List<PipelineFixture.Case> latentCases() {
    return latents.cases();
  }

  static Stream<PipelineFixture.Case> imageCases() {
    return images.cases().stream();
  }

  @ParameterizedTest
  @MethodSource("latentCases")
  void latentsAreThoseOfDiffusersStepByStep(PipelineFixture.Case each) {
    Map<Integer, float[][]> bySteps = new HashMap<>();
    int count = each.request().numImages();
    ImageResult result =
        each.on(pipeline)
            .generate(
                each.request().toBuilder().outputType(OutputType.LATENT).build(),
                onStepEnd(
                    step ->
                        bySteps
                                .computeIfAbsent(step.progress().step(), _ -> new float[count][])[
                                step.progress().image()] =
                            step.latents().values()));
    for (int steps : List.of(1, 2, 16, 25)) {
      float[] expected = latents.floats("output." + each + ".latents." + steps);
      double rms = PipelineFixture.relativeRms(joined(bySteps.get(steps)), expected);
      assertTrue(rms <= MAX_LATENTS_RMS, each + " after " + steps + " steps: " + rms);
    }
    assertArrayEquals(joined(bySteps.get(25)), result.latents().orElseThrow().values());
    assertTrue(result.images().isEmpty());
  }

  @ParameterizedTest
  @MethodSource("latentCases")
  void givenLatentsAreTheNoiseThatTheSeedDraws(PipelineFixture.Case each) {
    String noise = "input." + each + ".latents";
    FloatArray given = FloatArray.of(latents.floats(noise), latents.dims(noise));
    ImageRequest request =
        each.request().toBuilder().numInferenceSteps(1).outputType(OutputType.LATENT).build();
    KolorsPipeline scheduled = each.on(pipeline);
    assertEquals(
        scheduled.generate(request).latents(),
        scheduled.generate(request.toBuilder().latents(given).seeds(List.of()).build()).latents());
  }

  @ParameterizedTest
  @MethodSource("imageCases")
  void picturesAreThoseOfDiffusers(PipelineFixture.Case each) {
    ImageResult result = each.on(pipeline).generate(each.request());
    byte[] expected = images.bytes("output." + each + ".images");
    int at = 0;
    for (KolorsImage image : result.images()) {
      byte[] actual = image.rgb();
      int largest = 0;
      int withinOne = 0;
      for (byte value : actual) {
        int difference = Math.abs((value & 255) - (expected[at++] & 255));
        largest = Math.max(largest, difference);
        withinOne += difference <= 1 ? 1 : 0;
      }
      double share = (double) withinOne / actual.length;
      assertTrue(largest <= MAX_PIXEL_DIFFERENCE, each + ": largest difference " + largest);
      assertTrue(share >= MIN_WITHIN_ONE, each + ": within one " + share);
    }
    assertEquals(expected.length, at);
    assertEquals(each.request().seeds(), result.seeds());
  }

  @Test
  void promptsAreEncodedAsInDiffusers() throws IOException {
    try (PipelineFixture text = PipelineFixture.open("text")) {
      List<String> prompts = text.prompts();
      int s = 256;
      for (int i = 0; i < prompts.size(); i++) {
        EncodedPrompt encoded = pipeline.encodePrompt(prompts.get(i));
        assertArrayEquals(row(text.ids("input.input_ids"), i, s), encoded.tokens().inputIds());
        assertArrayEquals(
            row(text.ids("input.attention_mask"), i, s), encoded.tokens().attentionMask());
        assertArrayEquals(
            row(text.ids("input.position_ids"), i, s), encoded.tokens().positionIds());
        assertClose(text.floats("output.prompt_embeds"), i, encoded.promptEmbeds());
        assertClose(text.floats("output.pooled"), i, encoded.pooledPromptEmbeds());
        assertEquals(i == 3, encoded.tokens().truncated());
      }
      assertFalse(prompts.isEmpty());
    }
  }

  private static void assertClose(float[] all, int row, FloatArray actual) {
    assertEquals(1, actual.shape().dim(0));
    int length = actual.shape().size();
    float[] expected = Arrays.copyOfRange(all, row * length, (row + 1) * length);
    double rms = PipelineFixture.relativeRms(actual.values(), expected);
    assertTrue(rms <= 2e-5, "relative RMS " + rms);
  }

  private static int[] row(int[] all, int row, int length) {
    return Arrays.copyOfRange(all, row * length, (row + 1) * length);
  }

  private static float[] joined(float[][] parts) {
    float[] all = new float[parts.length * parts[0].length];
    for (int i = 0; i < parts.length; i++) {
      System.arraycopy(parts[i], 0, all, i * parts[i].length, parts[i].length);
    }
    return all;
  }
}
