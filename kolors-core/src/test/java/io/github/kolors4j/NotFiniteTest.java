package io.github.kolors4j;

import static io.github.kolors4j.Controls.onStepEnd;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.NotFiniteException;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.request.UnfinishedRequest;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.StoredWeight;
import io.github.kolors4j.tensor.Weight;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** NaN and infinity, of which diffusers makes a black picture without a word. */
class NotFiniteTest {
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫")
          .size(32, 24)
          .numInferenceSteps(2)
          .maxSequenceLength(8)
          .seed(5)
          .build();

  private static KolorsPipeline pipeline;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(2).open();
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static FloatArray with(float value, int index, int... dims) {
    float[] values = new float[Arrays.stream(dims).reduce(1, (a, b) -> a * b)];
    values[index] = value;
    return FloatArray.of(values, dims);
  }

  private static void assertRefused(String message, ImageRequest request) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> pipeline.generate(request))
            .getMessage());
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void givenLatentsAreRefusedWithTheIndexAlsoForDiffusersPictures(float value) {
    FloatArray latents = with(value, 4 * 48 - 1 - 8, 1, 4, 6, 8);
    ImageRequest request = SMALL.toBuilder().latents(latents).build();
    String message =
        "[request] the latents hold "
            + value
            + " at [0, 3, 4, 7]: only finite numbers make a"
            + " picture.";
    assertRefused(message, request);
    assertRefused(message, request.toBuilder().compatibility(Compatibility.DIFFUSERS).build());
    assertRefused(
        "[request] the image's latents hold "
            + value
            + " at [0, 3, 4, 7]: only finite numbers make"
            + " a picture.",
        SMALL.toBuilder().imageLatents(latents).build());
  }

  @Test
  void givenEmbeddingsAreRefusedWithTheIndex() {
    FloatArray context = with(1, 0, 1, 8, 128);
    FloatArray pooled = with(1, 0, 1, 128);
    FloatArray badContext = with(Float.NaN, 2 * 128 + 5, 1, 8, 128);
    FloatArray badPooled = with(Float.POSITIVE_INFINITY, 127, 1, 128);
    PromptEmbeds good = PromptEmbeds.of(context, pooled);
    assertRefusedEmbeds("prompt_embeds hold NaN at [0, 2, 5]", PromptEmbeds.of(badContext, pooled));
    assertRefusedEmbeds(
        "pooled_prompt_embeds hold Infinity at [0, 127]", PromptEmbeds.of(context, badPooled));
    assertRefusedEmbeds(
        "negative_prompt_embeds hold NaN at [0, 2, 5]",
        good.against(PromptEmbeds.of(badContext, pooled)));
    assertRefusedEmbeds(
        "negative_pooled_prompt_embeds hold Infinity at [0, 127]",
        good.against(PromptEmbeds.of(context, badPooled)));
  }

  private static void assertRefusedEmbeds(String what, PromptEmbeds embeds) {
    assertRefused(
        "[request] the " + what + ": only finite numbers make a picture.",
        ImageRequest.builder(embeds).size(32, 24).numInferenceSteps(2).seed(5).build());
  }

  @Test
  void whatACallbackSetsIsRefusedWithTheIndex() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                pipeline.generate(
                    SMALL, onStepEnd(step -> step.setLatents(with(Float.NaN, 9, 1, 4, 6, 8)))));
    assertEquals(
        "[callback] latents hold NaN at [0, 0, 1, 1]: only finite numbers make a picture.",
        refused.getMessage());
  }

  /** Adds a value to one vector of a model. */
  private static WeightAdapter adding(String name, float value) {
    return new WeightAdapter() {
      @Override
      public Weight extend(String key, Weight weight) {
        if (!key.equals(name)) {
          return weight;
        }
        float[] values = new float[weight.shape().size()];
        values[1] = value;
        return StoredWeight.of(key, weight.shape(), values);
      }
    };
  }

  private static NotFiniteException assertFound(KolorsPipeline bad, ImageRequest request) {
    return assertThrows(NotFiniteException.class, () -> bad.generate(request));
  }

  @Test
  void aRunIsEndedByTheStepThatGaveIt() throws Exception {
    KolorsPipeline bad =
        pipeline.withUnet(pipeline.unet().adapted(List.of(adding("conv_out.bias", Float.NaN))));
    NotFiniteException found = assertFound(bad, SMALL);
    assertEquals(
        "[request] denoising step 1 of 2, timestep 551.0, gave NaN, for image 1 of 1, of which a"
            + " black picture would become. A weight that is damaged or overflows?"
            + " KolorsPipeline.Builder.checkWeights() looks for one; extreme guidance can be the"
            + " cause, too. Compatibility.DIFFUSERS goes on.",
        found.getMessage());
    assertEquals(Stage.DENOISE, found.stage());
    assertEquals(0, found.image());
    assertEquals(1, found.step());
    assertEquals(0, UnfinishedRequest.finishedBefore(found).orElseThrow().count());
    ImageResult diffusers =
        bad.generate(SMALL.toBuilder().compatibility(Compatibility.DIFFUSERS).build());
    assertArrayEquals(new byte[32 * 24 * 3], diffusers.image().rgb(), "black");
  }

  @Test
  void aRunIsEndedByItsTextAndByItsDecoding(@TempDir Path folder) throws Exception {
    KolorsPipeline badText =
        pipeline.withTextEncoder(
            pipeline
                .textEncoder()
                .adapted(
                    List.of(
                        adding(
                            "encoder.layers.0.input_layernorm.weight", Float.POSITIVE_INFINITY))));
    NotFiniteException found = assertFound(badText, SMALL);
    assertEquals(Stage.TEXT, found.stage());
    assertEquals(1, found.step());
    assertTrue(
        found.getMessage().startsWith("[request] the encoding of text 1 of 2 gave NaN, of which"),
        found.getMessage());

    Path copy = copyOf(PipelineFixture.CHECKPOINT, folder.resolve("copy"));
    overwrite(weights(copy.resolve("vae")), "decoder.conv_out.bias", 1, 0x7e00); // NaN
    try (KolorsPipeline badVae = KolorsPipeline.builder(copy).threads(2).open()) {
      found = assertFound(badVae, SMALL);
      assertEquals(Stage.DECODE, found.stage());
      assertEquals(1, found.step());
      assertTrue(
          found.getMessage().startsWith("[request] the decoding gave NaN, for image 1 of 1, of"),
          found.getMessage());
      ImageResult latents =
          badVae.generate(SMALL.toBuilder().outputType(OutputType.LATENT).build());
      assertTrue(latents.latents().isPresent(), "the VAE is not asked");
    }
  }

  @Test
  void aWeightIsFoundOnRequestWhenTheCheckpointIsOpened(@TempDir Path folder) throws IOException {
    Path copy = copyOf(PipelineFixture.CHECKPOINT, folder.resolve("copy"));
    KolorsPipeline.builder(copy).checkWeights().open().close();
    Path file = weights(copy.resolve("vae"));
    overwrite(file, "decoder.conv_out.weight", 5, 0xfc00); // −∞ in [3, c, 3, 3]
    KolorsPipeline.open(copy).close();
    InvalidFileException refused =
        assertThrows(
            InvalidFileException.class, () -> KolorsPipeline.builder(copy).checkWeights().open());
    assertEquals(
        "[weights] "
            + file
            + ": decoder.conv_out.weight F16 is not finite at [0, 0, 1, 2]: a picture would become"
            + " black. Damaged, or a conversion that has overflowed? Get the file again.",
        refused.getMessage());
  }

  static Path copyOf(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path each : files.toList()) {
        Path target = to.resolve(from.relativize(each).toString());
        if (Files.isDirectory(each)) {
          Files.createDirectories(target);
        } else {
          Files.copy(each, target);
        }
      }
    }
    return to;
  }

  private static Path weights(Path component) throws IOException {
    try (Stream<Path> files = Files.list(component)) {
      return files
          .filter(each -> each.toString().endsWith(".safetensors"))
          .findFirst()
          .orElseThrow();
    }
  }

  /** Gives a value of an F16 tensor other bits. */
  private static void overwrite(Path file, String tensor, int index, int bits) throws IOException {
    long offset;
    try (SafetensorsFile source = SafetensorsFile.open(file)) {
      TensorInfo info = source.find(tensor).orElseThrow();
      assertEquals(DType.F16, info.dtype());
      offset = info.offset() + 2L * index;
    }
    try (SeekableByteChannel channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
      channel.position(offset);
      channel.write(ByteBuffer.wrap(new byte[] {(byte) bits, (byte) (bits >> 8)}));
    }
  }
}
