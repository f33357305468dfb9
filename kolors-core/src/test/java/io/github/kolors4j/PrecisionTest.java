package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.chatglm.PromptEmbedding;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.Fixture.Difference;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Int8Weight;
import io.github.kolors4j.tensor.LowRank;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.UpdatedWeight;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.Conditioning;
import io.github.kolors4j.unet.Prediction;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionInput;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * Stages and pictures in other precisions, on CPUs that have BF16: {@code f32-fast} within the
 * tolerances of F32, {@code bf16} within those that {@code docs/numerics.md} gives it.
 */
class PrecisionTest {
  private static final Difference BF16 = new Difference(5e-2, 3e-2);

  private static final ImageRequest REQUEST =
      ImageRequest.builder("一只瓢虫,蓝色背景").size(64, 48).numInferenceSteps(4).seed(3).build();

  private static Bf16Kernel kernel;

  @BeforeAll
  static void findTheKernel() {
    Optional<Bf16Kernel> found = Products.of(Precision.BF16).kernel();
    assumeTrue(found.isPresent(), "this machine has no BF16");
    kernel = found.get();
  }

  private static Workspace workspace(ThreadPool threads, Precision precision) {
    return new Workspace(threads, Products.of(precision, kernel));
  }

  private static Difference bound(Precision precision) {
    return precision == Precision.BF16
        ? BF16
        : new Difference(Fixture.MAX_DIFFERENCE, Fixture.MAX_RELATIVE_RMS);
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void theUNetPredictsAsDiffusersDoes(Precision precision) throws IOException {
    for (String name : new String[] {"kolors_like", "odd_latents", "one_image"}) {
      try (Fixture fixture = Fixture.open("unet/" + name);
          ThreadPool threads = new ThreadPool(2);
          Workspace workspace = workspace(threads, precision)) {
        UNet2DConditionModel unet =
            UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
        Conditioning conditioning =
            unet.prepare(
                fixture.tensor(workspace, "input.encoder_hidden_states"),
                fixture.tensor(workspace, "input.text_embeds"),
                fixture.rows("input.time_ids"));
        fixture.assertClose(
            "output.sample",
            unet.forward(
                UNet2DConditionInput.of(
                    fixture.tensor(workspace, "input.sample"),
                    fixture.floats("input.timestep")[0],
                    conditioning)),
            bound(precision));
      }
    }
  }

  /** A weight of 8 bits under a LoRA, of constant seed. */
  private static Weight computed(String name, Weight base) {
    Random random = new Random(name.hashCode());
    byte[] values = new byte[base.shape().size()];
    random.nextBytes(values);
    short[] scales = new short[base.rows() * Math.ceilDiv(base.rowLength(), 32)];
    Arrays.fill(scales, Float.floatToFloat16(0.0005f));
    float[] down = new float[2 * base.rowLength()];
    float[] up = new float[2 * base.rows()];
    for (float[] factor : new float[][] {down, up}) {
      for (int i = 0; i < factor.length; i++) {
        factor[i] = 0.1f * (random.nextFloat() - 0.5f);
      }
    }
    Weight int8 =
        Int8Weight.inGroups(
            name, base.shape(), 32, MemorySegment.ofArray(values), MemorySegment.ofArray(scales));
    return new UpdatedWeight(int8, new LowRank(2, down, up));
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void eightBitsUnderALoraGiveTheBytesOfTheirSumsStored(Precision precision) throws IOException {
    WeightAdapter computed = (name, base) -> base.shape().rank() < 2 ? base : computed(name, base);
    WeightAdapter stored = (name, base) -> Weight.of(name, base.shape(), base.toFloats());
    try (Fixture fixture = Fixture.open("unet/kolors_like");
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = workspace(threads, precision)) {
      UNet2DConditionModel unet =
          UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
      float[] expected = predict(unet.adapted(List.of(computed, stored)), fixture, workspace);
      assertArrayEquals(expected, predict(unet.adapted(List.of(computed)), fixture, workspace));
      assertFalse(Arrays.equals(expected, predict(unet, fixture, workspace)), "they are seen");
    }
  }

  private static float[] predict(UNet2DConditionModel unet, Fixture fixture, Workspace workspace) {
    return Prediction.of(unet, fixture, workspace).toArray();
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void theVaeDecodesAsDiffusersDoes(Precision precision) throws IOException {
    for (String name : new String[] {"whole_file", "odd_latents"}) {
      try (Fixture fixture = Fixture.open("vae/" + name);
          ThreadPool threads = new ThreadPool(2);
          Workspace workspace = workspace(threads, precision)) {
        AutoencoderKL vae =
            AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
        fixture.assertClose(
            "output.sample",
            vae.decode(fixture.tensor(workspace, "input.latents")),
            bound(precision));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = Mode.EXCLUDE, names = "F32")
  void theTextEncoderEncodesAsDiffusersDoes(Precision precision) throws IOException {
    for (String name : new String[] {"multi_query", "heads_of_128"}) {
      try (Fixture fixture = Fixture.open("chatglm/" + name);
          ThreadPool threads = new ThreadPool(2);
          Workspace workspace = workspace(threads, precision)) {
        ChatGlmModel model = ChatGlmModel.of(ChatGlmConfig.of(fixture.config()), fixture.source());
        PromptEmbedding embedding =
            model.encode(
                workspace,
                fixture.integerRows("input.input_ids"),
                fixture.integerRows("input.attention_mask"),
                fixture.integerRows("input.position_ids"));
        fixture.assertClose("output.prompt_embeds", embedding.hiddenStates(), bound(precision));
        fixture.assertClose("output.pooled", embedding.pooled(), bound(precision));
      }
    }
  }

  private static KolorsPipeline open(int threads, Precision precision) throws IOException {
    return KolorsPipeline.builder(PipelineFixture.CHECKPOINT)
        .threads(threads)
        .precision(precision)
        .open();
  }

  @Test
  void aPictureHasTheSameBytesForAnyNumberOfThreads() throws IOException {
    byte[] first = null;
    for (int threads : new int[] {1, 2, 3, 7}) {
      try (KolorsPipeline pipeline = open(threads, Precision.BF16)) {
        byte[] pixels = pipeline.generate(REQUEST).image().rgb();
        first = first == null ? pixels : first;
        assertArrayEquals(first, pixels, threads + " threads");
      }
    }
  }

  /** Two hundredths of noise in each step do not draw another picture. */
  @Test
  void aPictureIsThatOfF32ButForALittle() throws IOException {
    byte[] exact;
    try (KolorsPipeline pipeline = open(2, Precision.F32)) {
      assertEquals(Precision.F32, pipeline.precision());
      exact = pipeline.generate(REQUEST).image().rgb();
    }
    try (KolorsPipeline pipeline = open(2, Precision.BF16)) {
      assertEquals(Precision.BF16, pipeline.precision());
      ImageResult result = pipeline.generate(REQUEST);
      assertEquals("bf16", pipeline.metadata(result, 0).engine().precision());
      double sum = 0;
      KolorsImage image = result.image();
      for (int i = 0; i < exact.length; i++) {
        sum += Math.abs((exact[i] & 0xff) - (image.rgb()[i] & 0xff));
      }
      double mean = sum / exact.length;
      System.out.printf("bf16: pixels differ by %.2f in the mean%n", mean);
      assertTrue(mean > 0 && mean < 8, "mean difference " + mean);
    }
  }

  @Test
  void aRequestThatIsCancelledEndsInThisPrecisionToo() throws IOException {
    try (KolorsPipeline pipeline = open(2, Precision.BF16)) {
      CancellationToken token = new CancellationToken();
      RunControl control =
          RunControl.builder().onProgress(_ -> token.cancel()).cancellation(token).build();
      assertThrows(GenerationCancelledException.class, () -> pipeline.generate(REQUEST, control));
      assertEquals(64, pipeline.generate(REQUEST).image().width());
    }
  }
}
