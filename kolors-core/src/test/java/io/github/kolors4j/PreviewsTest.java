package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.FormulaWeights;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.LatentColours;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.PreviewMethod;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.StepCallback;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.vae.AutoencoderTiny;
import io.github.kolors4j.vae.AutoencoderTinyConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a callback can see of a picture that is not finished, with and without TAESD. */
class PreviewsTest {
  private static final ImageRequest REQUEST =
      ImageRequest.builder("一只瓢虫").size(32, 40).numInferenceSteps(4).seed(3).build();

  @TempDir private static Path folder;

  private static KolorsPipeline pipeline;
  private static Path taesd;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
    taesd = Files.createDirectory(folder.resolve("taesd"));
    Files.writeString(
        taesd.resolve("config.json"),
        """
        {"_class_name": "AutoencoderTiny", "num_encoder_blocks": [1, 1, 1],
         "num_decoder_blocks": [1, 1, 1], "encoder_block_out_channels": [8, 8, 8],
         "decoder_block_out_channels": [8, 8, 8]}
        """);
    FormulaWeights.write(
        taesd.resolve("diffusion_pytorch_model.safetensors"),
        AutoencoderTiny.parameters(
            new AutoencoderTinyConfig(3, 3, 4, List.of(1, 1, 1), List.of(1, 1, 1), 8, 1)),
        7);
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static KolorsImage generate(KolorsPipeline from, StepCallback callback) {
    return from.generate(REQUEST, RunControl.builder().onStepEnd(callback).build()).image();
  }

  /** Euler: x goes from σ to σ' on the line to the picture. */
  @Test
  void theOriginalSampleIsWhatAStepWentTowards() {
    List<FloatArray> latents = new ArrayList<>();
    List<FloatArray> originals = new ArrayList<>();
    generate(
        pipeline,
        step -> {
          latents.add(step.latents());
          originals.add(step.predictedOriginalSample());
        });
    float[] sigmas = pipeline.scheduler().schedule(Steps.of(4)).sigmas();
    for (int i = 1; i < 3; i++) {
      float[] x = latents.get(i - 1).values();
      float[] original = originals.get(i).values();
      float[] next = new float[x.length];
      for (int k = 0; k < x.length; k++) {
        next[k] = original[k] + (x[k] - original[k]) * sigmas[i + 1] / sigmas[i];
      }
      assertArrayEquals(next, latents.get(i).values(), 1e-4f);
    }
    assertEquals(latents.getLast(), originals.getLast());
  }

  @Test
  void withoutTaesdAQuickPreviewIsAPixelALatentCell() {
    List<KolorsImage> quick = new ArrayList<>();
    KolorsImage finished =
        generate(
            pipeline,
            step -> {
              quick.add(step.quickPreview());
              assertEquals(
                  LatentColours.of(pipeline.vae().config()).picture(step.predictedOriginalSample()),
                  quick.getLast());
              String message =
                  assertThrows(
                          IllegalStateException.class, () -> step.preview(PreviewMethod.TINY_VAE))
                      .getMessage();
              assertTrue(message.contains("previewVae"), message);
              assertEquals(step.preview(), step.preview(PreviewMethod.VAE));
            });
    assertEquals(4, quick.size());
    assertEquals(8, quick.getFirst().width());
    assertEquals(10, quick.getFirst().height());
    assertEquals(finished, pipeline.generate(REQUEST).image(), "looking changes nothing");
  }

  @Test
  void taesdForPreviewsLeavesThePictureAlone() throws IOException {
    try (KolorsPipeline with =
        KolorsPipeline.builder(MiniCheckpoint.directory()).previewVae(taesd).open()) {
      List<KolorsImage> quick = new ArrayList<>();
      KolorsImage finished =
          generate(
              with,
              step -> {
                quick.add(step.quickPreview());
                assertEquals(quick.getLast(), step.preview());
                assertNotEquals(quick.getLast(), step.preview(PreviewMethod.VAE));
              });
      assertEquals(pipeline.generate(REQUEST).image(), finished);
      assertEquals(32, quick.getFirst().width());
      assertNotEquals(quick.getFirst(), quick.getLast());
      assertEquals(pipeline.identity(), with.identity());
    }
  }

  @Test
  void taesdInThePlaceOfTheVaeDecodesAndEncodes() throws IOException {
    try (KolorsPipeline with =
        KolorsPipeline.builder(MiniCheckpoint.directory()).vae(taesd).open()) {
      List<KolorsImage> last = new ArrayList<>();
      KolorsImage finished = generate(with, step -> last.add(step.quickPreview()));
      assertEquals(last.getLast(), finished);
      KolorsImage byVae = pipeline.generate(REQUEST).image();
      assertNotEquals(byVae, finished);
      assertEquals(List.of("vae"), pipeline.identity().differences(with.identity()));
      ImageRequest redraw = REQUEST.toBuilder().image(byVae).strength(0.5).build();
      assertNotEquals(pipeline.generate(redraw).image(), with.generate(redraw).image());
      // a VAE that is put in decodes again
      assertEquals(byVae, with.withVae(pipeline.vae()).generate(REQUEST).image());
    }
  }

  @Test
  void taesdOfAnotherScaleIsRefused() {
    Path file = folder.resolve("taesdxl.safetensors");
    assertThrows(
        IOException.class,
        () -> {
          FormulaWeights.write(file, AutoencoderTiny.parameters(AutoencoderTinyConfig.TAESD), 1);
          KolorsPipeline.builder(MiniCheckpoint.directory()).vae(file).open().close();
        });
  }
}
