package io.github.kolors4j.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Downsample2D;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.nn.Upsample2D;
import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each block of the U-Net by itself against diffusers. */
class UNetStagesTest {
  private static final int MAX = 1 << 16;

  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);

  @AfterEach
  void close() {
    workspace.close();
    threads.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet_block", "resnet_block_shortcut"})
  void residualBlock(String name) throws IOException {
    try (Fixture fixture = Fixture.open("unet/" + name)) {
      JsonConfig json = fixture.config();
      Weights weights = fixture.weights();
      ResnetBlock2D block =
          ResnetBlock2D.load(
              weights,
              json.integer("in_channels", 1, MAX),
              json.integer("out_channels", 1, MAX),
              new ResnetBlock2D.Config(
                  OptionalInt.of(json.integer("temb_channels", 1, MAX)),
                  json.integer("groups", 1, MAX),
                  json.number("eps", 0)));
      weights.requireComplete();
      Tensor x = fixture.tensor(workspace, "input.hidden_states");
      Tensor temb = fixture.tensor(workspace, "input.temb");
      fixture.assertClose("output.sample", block.forward(x, temb));
    }
  }

  @Test
  void downsampling() throws IOException {
    try (Fixture fixture = Fixture.open("unet/downsample")) {
      Weights weights = fixture.weights();
      Tensor x = fixture.tensor(workspace, "input.hidden_states");
      Downsample2D downsample = Downsample2D.load(weights, x.dim(3), DownBlock2D.PADDING);
      weights.requireComplete();
      fixture.assertClose("output.sample", downsample.forward(x));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"upsample", "upsample_to_size"})
  void upsampling(String name) throws IOException {
    try (Fixture fixture = Fixture.open("unet/" + name)) {
      Weights weights = fixture.weights();
      Tensor x = fixture.tensor(workspace, "input.hidden_states");
      Upsample2D upsample = Upsample2D.load(weights, x.dim(3));
      weights.requireComplete();
      boolean given = fixture.has("input.output_size");
      int h = given ? fixture.integer("input.output_size", 0) : 2 * x.dim(1);
      int w = given ? fixture.integer("input.output_size", 1) : 2 * x.dim(2);
      fixture.assertClose("output.sample", upsample.forward(x, h, w));
    }
  }

  @Test
  void timestepEmbedding() throws IOException {
    try (Fixture fixture = Fixture.open("unet/timestep_embedding")) {
      JsonConfig json = fixture.config();
      Weights weights = fixture.weights();
      int in = json.integer("in_channels", 1, MAX);
      TimestepEmbedding embedding =
          TimestepEmbedding.load(weights, in, json.integer("time_embed_dim", 1, MAX));
      weights.requireComplete();
      Timesteps timeProj =
          new Timesteps(in, json.bool("flip_sin_to_cos", false), json.number("freq_shift", 1));
      Tensor projected = timeProj.forward(workspace, fixture.floats("input.timestep"));
      fixture.assertClose("output.time_proj", projected);
      fixture.assertClose("output.sample", embedding.forward(projected));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 16, 40, 64})
  void transformerBlockWithHeadsOf(int dHead) throws IOException {
    try (Fixture fixture = Fixture.open("unet/transformer_block_heads_of_" + dHead)) {
      JsonConfig json = fixture.config();
      Weights weights = fixture.weights();
      BasicTransformerBlock block =
          BasicTransformerBlock.load(
              weights,
              json.integer("dim", 1, MAX),
              json.integer("num_attention_heads", 1, MAX),
              json.integer("cross_attention_dim", 1, MAX));
      weights.requireComplete();
      assertEquals(dHead, block.attn1().heads().dHead());
      Tensor x = fixture.tensor(workspace, "input.hidden_states");
      Conditioning conditioning = conditioning(fixture, Stream.of(block));
      fixture.assertClose("output.sample", block.forward(x, conditioning));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"transformer_linear", "transformer_conv"})
  void transformer(String name) throws IOException {
    try (Fixture fixture = Fixture.open("unet/" + name)) {
      JsonConfig json = fixture.config();
      Weights weights = fixture.weights();
      Transformer2DModel transformer =
          Transformer2DModel.load(
              weights,
              new Transformer2DModel.Size(
                  json.integer("in_channels", 1, MAX),
                  json.integer("num_attention_heads", 1, MAX),
                  json.integer("num_layers", 1, MAX)),
              unet(json, json.integer("norm_num_groups", 1, MAX), 1, 1e-5f));
      weights.requireComplete();
      Tensor x = fixture.tensor(workspace, "input.hidden_states");
      Conditioning conditioning = conditioning(fixture, transformer.transformerBlocks().stream());
      fixture.assertClose("output.sample", transformer.forward(x, conditioning));
    }
  }

  @Test
  void midBlock() throws IOException {
    try (Fixture fixture = Fixture.open("unet/mid_block")) {
      JsonConfig json = fixture.config();
      Weights weights = fixture.weights();
      int c = json.integer("in_channels", 1, MAX);
      UNetEncoderConfig unet =
          unet(
              json,
              json.integer("resnet_groups", 1, MAX),
              json.integer("temb_channels", 1, MAX),
              json.number("resnet_eps", 0));
      Transformer2DModel.Size transformer =
          new Transformer2DModel.Size(
              c,
              json.integer("num_attention_heads", 1, MAX),
              json.integer("transformer_layers_per_block", 1, MAX));
      UNetMidBlock2DCrossAttn block =
          UNetMidBlock2DCrossAttn.load(weights, c, new BlockConfig(1, transformer, unet));
      weights.requireComplete();
      Tensor x = fixture.tensor(workspace, "input.hidden_states");
      Tensor temb = fixture.tensor(workspace, "input.temb");
      Conditioning conditioning = conditioning(fixture, block.transformerBlocks());
      fixture.assertClose("output.sample", block.forward(x, temb, conditioning));
    }
  }

  @Test
  void theEncoderHalf() throws IOException {
    try (Fixture fixture = Fixture.open("unet/kolors_like")) {
      UNetEncoder encoder =
          UNetEncoder.load(fixture.weights(), UNet2DConditionConfig.of(fixture.config()).encoder());
      Tap.Pass untapped = Tap.prepare("unet");
      Conditioning conditioning =
          encoder.prepare(
              fixture.tensor(workspace, "input.encoder_hidden_states"),
              fixture.tensor(workspace, "input.text_embeds"),
              fixture.rows("input.time_ids"),
              encoder.transformerBlocks().map(BasicTransformerBlock::attn2),
              untapped);
      float timestep = fixture.floats("input.timestep")[0];

      Tensor emb = encoder.embed(workspace, timestep, conditioning, untapped);
      Tensor input = encoder.convIn().forward(fixture.tensor(workspace, "input.sample"));
      DownBlock.Output down = encoder.down(input, emb, conditioning, untapped);
      Tensor mid = encoder.midBlock().forward(down.hiddenStates(), emb, conditioning);

      fixture.assertClose("output.emb", emb);
      // Of each block one layer, then what is half as large, but for the last block.
      List<Tensor> residuals = down.residuals();
      assertEquals(6, residuals.size());
      fixture.assertClose("output.conv_in", residuals.get(0));
      fixture.assertClose("output.down_blocks.0", residuals.get(2));
      fixture.assertClose("output.down_blocks.1", residuals.get(4));
      fixture.assertClose("output.down_blocks.2", residuals.get(5));
      assertSame(residuals.get(5), down.hiddenStates());
      fixture.assertClose("output.mid_block", mid);
    }
  }

  /** At inputs of order 1 a wrong epsilon is too small an error for the stages above to see. */
  @Test
  void epsilonsAreThoseOfDiffusers() throws IOException {
    try (Fixture fixture = Fixture.open("unet/mid_block")) {
      JsonConfig json = fixture.config();
      UNetEncoderConfig unet = unet(json, 5, 28, 1e-3f);
      Transformer2DModel.Size transformer = new Transformer2DModel.Size(20, 2, 2);
      UNetMidBlock2DCrossAttn block =
          UNetMidBlock2DCrossAttn.load(
              fixture.weights(), 20, new BlockConfig(1, transformer, unet));
      assertEquals(1e-3f, block.resnet0().norm1().eps());
      assertEquals(1e-3f, block.resnet1().norm2().eps());
      assertEquals(1e-6f, block.attention().norm().eps());
      BasicTransformerBlock tokens = block.attention().transformerBlocks().getFirst();
      assertEquals(1e-5f, tokens.norm1().eps());
      assertEquals(1e-5f, tokens.norm2().eps());
      assertEquals(1e-5f, tokens.norm3().eps());
    }
  }

  /** A U-Net with the settings of a stage that is tested by itself. */
  private static UNetEncoderConfig unet(JsonConfig stage, int groups, int timeEmbedDim, float eps)
      throws IOException {
    String unet =
        """
        {"block_out_channels": [%d], "down_block_types": ["CrossAttnDownBlock2D"],
         "attention_head_dim": %d,
         "norm_num_groups": %d, "norm_eps": %s, "cross_attention_dim": %d,
         "use_linear_projection": %b, "time_embedding_dim": %d, "encoder_hid_dim": 1,
         "addition_embed_type": "text_time", "addition_time_embed_dim": 1,
         "projection_class_embeddings_input_dim": 7}
        """
            .formatted(
                stage.integer("in_channels", 1, MAX),
                stage.integer("num_attention_heads", 1, MAX),
                groups,
                eps,
                stage.integer("cross_attention_dim", 1, MAX),
                stage.bool("use_linear_projection", false),
                timeEmbedDim);
    return UNetEncoderConfig.of(JsonConfig.parse("unet/config.json", unet));
  }

  private Conditioning conditioning(Fixture fixture, Stream<BasicTransformerBlock> blocks) {
    Tensor text = fixture.tensor(workspace, "input.encoder_hidden_states");
    IdentityHashMap<Attention, List<AttentionContext>> contexts = new IdentityHashMap<>();
    blocks
        .map(BasicTransformerBlock::attn2)
        .forEach(attention -> contexts.put(attention, List.of(attention.context(text))));
    return new Conditioning(workspace.tensor(1, 1), contexts, Tap.prepare("unet"));
  }
}
