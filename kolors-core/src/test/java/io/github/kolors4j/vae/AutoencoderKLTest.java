package io.github.kolors4j.vae;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.config.JsonConfig;
import io.github.kolors4j.nn.Fixture;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.nn.Weights;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AutoencoderKLTest {

  @ParameterizedTest
  @ValueSource(strings = {"whole_file", "odd_latents", "no_post_quant_conv", "old_attention_names"})
  void decodesAsDiffusersDoes(String name) throws IOException {
    try (Fixture fixture = Fixture.open("vae/" + name);
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      Tensor picture = vae.decode(fixture.tensor(workspace, "input.latents"));
      fixture.assertClose("output.sample", picture);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {128, 512})
  void attentionWithAHeadOf(int dHead) throws IOException {
    try (Fixture fixture = Fixture.open("vae/attention_head_of_" + dHead);
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      JsonConfig json = fixture.config();
      Weights weights = fixture.weights();
      int c = json.integer("query_dim", 1, 1024);
      Attention attention =
          new Attention(
              GroupNorm.load(
                  weights.at("group_norm"),
                  c,
                  json.integer("norm_num_groups", 1, c),
                  json.number("eps", 0)),
              Linear.load(weights.at("to_q"), c, dHead),
              Linear.load(weights.at("to_k"), c, dHead),
              Linear.load(weights.at("to_v"), c, dHead),
              Linear.load(weights.at("to_out.0"), dHead, c),
              Heads.of(1, dHead));
      weights.requireComplete();
      Tensor x = fixture.tensor(workspace, "input.hidden_states");
      fixture.assertClose("output.sample", attention.forward(x));
    }
  }

  /** At inputs of order 1 a wrong epsilon is too small an error for the decodes above to see. */
  @Test
  void epsilonsAreThoseOfDiffusers() throws IOException {
    try (Fixture fixture = Fixture.open("vae/whole_file")) {
      Decoder decoder =
          Decoder.load(fixture.weights().at("decoder"), AutoencoderKLConfig.of(fixture.config()));
      assertEquals(1e-6f, decoder.convNormOut().eps());
      assertEquals(1e-6f, decoder.midBlock().resnet0().norm1().eps());
      assertEquals(1e-6f, decoder.midBlock().attention().orElseThrow().groupNorm().eps());
      assertEquals(1e-6f, decoder.upBlocks().getFirst().resnets().getFirst().norm2().eps());
    }
  }

  @Test
  void refusesLatentsThatDoNotFit() throws IOException {
    try (Fixture fixture = Fixture.open("vae/whole_file");
        ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      Tensor channelsFirst = workspace.tensor(1, 4, 8, 8);
      assertEquals(
          "[vae] the latents have the shape [1, 4, 8, 8]: [pictures, height, width, 4] is needed.",
          assertThrows(IllegalArgumentException.class, () -> vae.decode(channelsFirst))
              .getMessage());
    }
  }

  @Test
  void theLargestFeatureMapIsTheLastUpsamplersOutput() throws IOException {
    AutoencoderKLConfig config =
        AutoencoderKLConfig.of(
            JsonConfig.parse(
                "vae/config.json",
                """
                {"block_out_channels": [128, 256, 512, 512],
                 "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D",
                                      "DownEncoderBlock2D", "DownEncoderBlock2D"],
                 "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D",
                                    "UpDecoderBlock2D", "UpDecoderBlock2D"]}
                """));
    assertEquals(8, config.scaleFactor());
    assertEquals(1024L * 1024 * 256, config.largestFeatureMap(128, 128));
    assertEquals((1L << 16) * (1L << 16) * 256, config.largestFeatureMap(1 << 13, 1 << 13));
  }
}
