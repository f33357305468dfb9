package io.github.kolors4j.tap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.chatglm.PromptEmbedding;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionInput;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TapTest {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @TempDir private Path directory;

  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);

  @AfterEach
  void close() {
    workspace.close();
    threads.close();
  }

  private UNet2DConditionInput input(UNet2DConditionModel unet, Fixture fixture) {
    return UNet2DConditionInput.of(
        fixture.tensor(workspace, "input.sample"),
        fixture.floats("input.timestep")[0],
        unet.prepare(
            fixture.tensor(workspace, "input.encoder_hidden_states"),
            fixture.tensor(workspace, "input.text_embeds"),
            fixture.rows("input.time_ids")));
  }

  private static UNet2DConditionModel unet(Fixture fixture) throws IOException {
    return UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
  }

  @Test
  void theUNetsBlocksGiveWhatThoseOfDiffusersGive() throws IOException {
    try (Fixture fixture = Fixture.open("unet/kolors_like")) {
      UNet2DConditionModel unet = unet(fixture);
      Tensor[] prediction = new Tensor[1];
      Tap.into(directory).run(() -> prediction[0] = unet.forward(input(unet, fixture)));

      try (SafetensorsFile file = open("unet-0001")) {
        assertEquals("unet", file.metadata().get("component"));
        assertEquals(
            "add_embedding,encoder_hid_proj,time_embedding,conv_in,"
                + "down_blocks.0,down_blocks.1,down_blocks.2,mid_block,"
                + "up_blocks.0,up_blocks.1,up_blocks.2,conv_out",
            file.metadata().get("modules"));
        for (String module :
            List.of(
                "encoder_hid_proj",
                "conv_in",
                "down_blocks.0",
                "down_blocks.1",
                "down_blocks.2",
                "mid_block",
                "up_blocks.0",
                "up_blocks.1",
                "up_blocks.2")) {
          assertClose(fixture, "output." + module, file, module);
        }
        assertClose(fixture, "output.sample", file, "conv_out");
        assertEquals(List.of(2L, 4L, 8L, 8L), file.find("conv_out").orElseThrow().shape());
        assertEquals(
            prediction[0].data()[(3 * 8 + 5) * 4 + 2],
            floats(file, "conv_out")[2 * 64 + 3 * 8 + 5]);
        for (String argument :
            List.of("sample", "timestep", "encoder_hidden_states", "text_embeds", "time_ids")) {
          assertArrayEquals(
              fixture.floats("input." + argument), floats(file, "input." + argument), argument);
        }
      }
    }
  }

  @Test
  void passesAreCountedAndSeenOnlyWhileSomebodyTaps() throws IOException {
    try (Fixture fixture = Fixture.open("unet/kolors_like")) {
      UNet2DConditionModel unet = unet(fixture);
      UNet2DConditionInput prepared = input(unet, fixture);
      float[] untapped = unet.forward(prepared).toArray();
      assertFalse(Files.exists(directory.resolve("steps")));

      Tap.into(directory.resolve("steps"))
          .run(
              () -> {
                assertArrayEquals(untapped, unet.forward(prepared).toArray());
                unet.forward(prepared);
              });
      unet.forward(prepared);
      try (Stream<Path> files = Files.list(directory.resolve("steps"))) {
        assertEquals(
            List.of("unet-0001.safetensors", "unet-0002.safetensors"),
            files.map(file -> file.getFileName().toString()).sorted().toList());
      }
    }
  }

  @Test
  void aPassThatFailsLeavesWhatItHasComeTo() throws IOException {
    try (Fixture fixture = Fixture.open("unet/kolors_like")) {
      UNet2DConditionModel unet = unet(fixture);
      UNet2DConditionModel other = unet.adapted(List.of((_, base) -> base));
      UNet2DConditionInput ofAnother = input(unet, fixture);
      assertThrows(
          IllegalArgumentException.class,
          () -> Tap.into(directory).run(() -> other.forward(ofAnother)));
      try (SafetensorsFile file = open("unet-0001")) {
        assertEquals("time_embedding,conv_in,down_blocks.0", file.metadata().get("modules"));
      }
    }
  }

  @Test
  void theTextEncodersLayersGiveWhatThoseOfDiffusersGive() throws IOException {
    try (Fixture fixture = Fixture.open("chatglm/multi_query")) {
      ChatGlmModel model = ChatGlmModel.of(ChatGlmConfig.of(fixture.config()), fixture.source());
      PromptEmbedding[] embedding = new PromptEmbedding[1];
      Tap.into(directory)
          .run(
              () ->
                  embedding[0] =
                      model.encode(
                          workspace,
                          fixture.integerRows("input.input_ids"),
                          fixture.integerRows("input.attention_mask"),
                          fixture.integerRows("input.position_ids")));
      try (SafetensorsFile file = open("text_encoder-0001")) {
        assertEquals(
            "embedding,encoder.layers.0,encoder.layers.1,encoder.layers.2",
            file.metadata().get("modules"));
        assertClose(fixture, "output.hidden_states.0", file, "embedding");
        assertClose(fixture, "output.hidden_states.1", file, "encoder.layers.0");
        assertClose(fixture, "output.hidden_states.2", file, "encoder.layers.1");
        assertArrayEquals(embedding[0].pooled().toArray(), floats(file, "encoder.layers.2"));
        for (String argument : List.of("input_ids", "attention_mask", "position_ids")) {
          assertArrayEquals(
              fixture.bytes("input." + argument),
              file.data("input." + argument).toArray(ValueLayout.JAVA_BYTE),
              argument);
        }
      }
    }
  }

  @Test
  void theVaeShowsADecodeAndAnEncode() throws IOException {
    try (Fixture fixture = Fixture.open("vae/encode")) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      Tensor pictures = fixture.tensor(workspace, "input.sample").first(1);
      Tensor latents = fixture.tensor(workspace, "output.mode").first(1);
      Tensor[] made = new Tensor[2];
      Tap.into(directory)
          .run(
              () -> {
                made[0] = vae.encode(pictures).parameters();
                made[1] = vae.decode(latents);
              });
      try (SafetensorsFile encode = open("vae-0001");
          SafetensorsFile decode = open("vae-0002")) {
        assertEquals(
            "encoder.conv_in,encoder.down_blocks.0,encoder.down_blocks.1,encoder.mid_block,"
                + "encoder.conv_out,quant_conv",
            encode.metadata().get("modules"));
        assertArrayEquals(channelsFirst(pictures), floats(encode, "input.sample"));
        assertArrayEquals(channelsFirst(made[0]), floats(encode, "quant_conv"));
        assertEquals(
            "post_quant_conv,decoder.conv_in,decoder.mid_block,decoder.up_blocks.0,"
                + "decoder.up_blocks.1,decoder.conv_out",
            decode.metadata().get("modules"));
        assertArrayEquals(channelsFirst(latents), floats(decode, "input.latents"));
        assertArrayEquals(channelsFirst(made[1]), floats(decode, "decoder.conv_out"));
      }
    }
  }

  private SafetensorsFile open(String name) throws IOException {
    return SafetensorsFile.open(directory.resolve(name + ".safetensors"));
  }

  private static float[] floats(SafetensorsFile file, String name) {
    return file.data(name).toArray(FLOAT);
  }

  private static float[] channelsFirst(Tensor x) {
    int c = x.dim(3);
    int pixels = x.dim(1) * x.dim(2);
    float[] turned = new float[x.shape().size()];
    for (int i = 0; i < turned.length; i++) {
      turned[i] = x.data()[(i / (c * pixels) * pixels + i % pixels) * c + i / pixels % c];
    }
    return turned;
  }

  /** The same shape as in diffusers, and the same values but for rounding. */
  private static void assertClose(
      Fixture fixture, String key, SafetensorsFile file, String module) {
    assertArrayEquals(
        fixture.dims(key),
        file.find(module).orElseThrow().shape().stream().mapToInt(Math::toIntExact).toArray());
    float[] expected = fixture.floats(key);
    float[] actual = floats(file, module);
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertTrue(Math.abs(actual[i] - expected[i]) <= 1e-4 * largest, module + " at " + i);
    }
  }
}
