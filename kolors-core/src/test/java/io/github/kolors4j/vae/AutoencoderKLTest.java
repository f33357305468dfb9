package io.github.kolors4j.vae;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Attention.Heads;
import io.github.kolors4j.tensor.ops.Resampling;
import java.io.IOException;
import java.util.Arrays;
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
  @ValueSource(strings = {"encode", "encode_odd", "encode_no_quant_conv"})
  void encodesAsDiffusersDoes(String name) throws IOException {
    try (Fixture fixture = Fixture.open("vae/" + name);
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      var posterior = vae.encode(fixture.tensor(workspace, "input.sample"));
      Tensor noise = fixture.tensor(workspace, "input.noise");
      fixture.assertClose("output.moments", posterior.parameters());
      fixture.assertClose("output.mode", posterior.mode());
      fixture.assertClose("output.latents", posterior.sample(noise));
      var extreme = new DiagonalGaussianDistribution(fixture.tensor(workspace, "input.extreme"));
      fixture.assertClose("output.extreme", extreme.sample(noise));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"9x9", "5x14", "8x17", "20x6", "15x11"})
  void tilesAsDiffusersDoes(String size) throws IOException {
    try (Fixture fixture = Fixture.open("vae/tiled");
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      Tensor decoded = vae.decodeTiled(fixture.tensor(workspace, "input." + size + ".latents"));
      fixture.assertClose("output." + size + ".sample", decoded);
      var posterior = vae.encodeTiled(fixture.tensor(workspace, "input." + size + ".sample"));
      fixture.assertClose("output." + size + ".moments", posterior.parameters());
    }
  }

  /**
   * Where diffusers' tiles do not fit each other, or would be nothing: every cell is decoded from
   * its surroundings, so that equal cells give one colour, whatever the tiles are.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 6, 10, 14, 15, 16, 40})
  void tilesOfAnySizeFitEachOther(int sampleSize) throws IOException {
    Tiling tiling = Tiling.of(sampleSize, 2);
    try (ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      for (int h = 1; h < 30; h++) {
        int w = 1 + h * 7 % 30;
        Tensor cells = workspace.tensor(1, h, w, 1);
        for (int i = 0; i < h * w; i++) {
          cells.data()[i] = i;
        }
        Tensor doubled =
            tiling.forward(
                cells,
                new Tiling.Scale(1, 2),
                Shape.of(1, 2 * h, 2 * w, 1),
                x -> Resampling.nearest(x, 2 * x.dim(1), 2 * x.dim(2)));
        Tensor expected = Resampling.nearest(cells, 2 * h, 2 * w);
        assertArrayEquals(expected.toArray(), doubled.toArray(), 1e-3f, h + "x" + w);

        Tensor halved =
            tiling.forward(
                expected,
                new Tiling.Scale(2, 1),
                cells.shape(),
                x -> Resampling.nearest(x, x.dim(1) / 2, x.dim(2) / 2));
        assertArrayEquals(cells.toArray(), halved.toArray(), 1e-3f, h + "x" + w);
      }
    }
  }

  @Test
  void whatFitsOneTileIsNotCut() throws IOException {
    try (Fixture fixture = Fixture.open("vae/tiled");
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      Tensor latents = workspace.tensor(1, 8, 5, 4);
      for (int i = 0; i < latents.shape().size(); i++) {
        latents.data()[i] = (float) StrictMath.sin(i);
      }
      Tensor picture = vae.decode(latents);
      assertArrayEquals(picture.toArray(), vae.decodeTiled(latents).toArray());
      assertArrayEquals(
          vae.encode(picture).parameters().toArray(),
          vae.encodeTiled(picture).parameters().toArray());
    }
  }

  @Test
  void aPictureDoesNotDependOnTheOthersOfItsBatch() throws IOException {
    try (Fixture fixture = Fixture.open("vae/encode");
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      Tensor both = fixture.tensor(workspace, "input.sample");
      int half = both.shape().size() / 2;
      float[] second = Arrays.copyOfRange(both.data(), half, 2 * half);
      Tensor alone = workspace.copyOf(second, 1, both.dim(1), both.dim(2), 3);
      float[] moments = vae.encode(both).parameters().toArray();
      assertArrayEquals(
          Arrays.copyOfRange(moments, moments.length / 2, moments.length),
          vae.encode(alone).parameters().toArray());
      float[] tiled = vae.encodeTiled(both).parameters().toArray();
      assertArrayEquals(
          Arrays.copyOfRange(tiled, tiled.length / 2, tiled.length),
          vae.encodeTiled(alone).parameters().toArray());
    }
  }

  @Test
  void aCheckpointWithoutTheEncoderDecodesAndSaysWhyItDoesNotEncode() throws IOException {
    try (Fixture fixture = Fixture.open("vae/odd_latents");
        ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      assertFalse(vae.hasEncoder());
      Tensor picture = workspace.tensor(1, 8, 8, 3);
      String message =
          assertThrows(IllegalStateException.class, () -> vae.encode(picture)).getMessage();
      assertTrue(message.startsWith("[vae] encoder.conv_in.weight is not in "), message);
      assertThrows(IllegalStateException.class, () -> vae.encodeTiled(picture));
    }
  }

  @Test
  void refusesPicturesAndNoiseThatDoNotFit() throws IOException {
    try (Fixture fixture = Fixture.open("vae/encode_odd");
        ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderKL vae =
          AutoencoderKL.of(AutoencoderKLConfig.of(fixture.config()), fixture.source());
      Tensor narrow = workspace.tensor(1, 8, 3, 3);
      assertEquals(
          "[vae] the pictures have the shape [1, 8, 3, 3]: [pictures, height, width, 3] is needed,"
              + " with 4 or more pixels in each direction.",
          assertThrows(IllegalArgumentException.class, () -> vae.encode(narrow)).getMessage());
      var moments = new DiagonalGaussianDistribution(workspace.tensor(1, 2, 2, 6));
      Tensor noise = workspace.tensor(1, 2, 2, 6);
      assertEquals(
          "[vae] the noise has the shape [1, 2, 2, 6]: [1, 2, 2, 3] is needed.",
          assertThrows(IllegalArgumentException.class, () -> moments.sample(noise)).getMessage());
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
    assertEquals(1024L * 1024 * 128, config.largestEncoderFeatureMap(1024, 1024));
    assertEquals(32L * 32 * 256, config.largestTiledFeatureMap(128, 128), "of tiles of 32 pixels");
    assertEquals(32L * 8 * 128, config.largestTiledEncoderFeatureMap(1024, 8));
    assertEquals((1L << 16) * (1L << 16) * 256, config.largestFeatureMap(1 << 13, 1 << 13));
  }
}
