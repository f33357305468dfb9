package io.github.kolors4j.ipadapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.FormulaWeights;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IpAdapterTest {
  private static UNet2DConditionConfig unet;

  @TempDir private Path folder;

  @BeforeAll
  static void read() throws IOException {
    try (Fixture fixture = Fixture.open("unet/odd_latents")) {
      unet = UNet2DConditionConfig.of(fixture.config());
    }
  }

  private static List<Parameter> parameters() {
    return IpAdapterModel.parameters(
        new IpAdapterConfig(
            IpAdapter.Kind.PLUS, 3, new ResamplerSize(24, 20, 4, 1, 80, 20), 0, 0, unet));
  }

  private static float[] tokens(IpAdapterModel model) {
    try (ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      Tensor embeds = workspace.tensor(1, 5, 24);
      for (int i = 0; i < embeds.shape().size(); i++) {
        embeds.data()[i] = (float) StrictMath.sin(i);
      }
      return model.tokensOf(embeds).toArray();
    }
  }

  @Test
  void theFileThatIsPublishedMeansTheSameAsSafetensors() throws IOException, URISyntaxException {
    Path file = folder.resolve("ip_adapter_plus_general.safetensors");
    FormulaWeights.write(file, parameters(), 9);
    IpAdapter safetensors = IpAdapter.of(folder);
    IpAdapter pickle =
        IpAdapter.of(Path.of(getClass().getResource("/ipadapter/odd_latents.bin").toURI()));
    assertEquals(safetensors, pickle);
    assertEquals(safetensors.identity(), pickle.identity());
    assertTrue(pickle.imageEncoder().isEmpty());
    assertEquals(0, pickle.imageSize());
    try (IpAdapterModel one = safetensors.load(unet);
        IpAdapterModel other = pickle.load(unet)) {
      assertArrayEquals(tokens(one), tokens(other));
      assertEquals(3, other.tokens());
      assertEquals(24, other.embedDim());
      assertEquals(
          "up_blocks.1.attentions.2.transformer_blocks.0.attn2",
          other.projections().names().get(9));
      assertEquals(
          "mid_block.attentions.0.transformer_blocks.0.attn2",
          other.projections().names().getLast());
    }
  }

  @Test
  void whatIsNoAdapterOfTheUNetIsRefused() throws IOException {
    Path file = folder.resolve("a.safetensors");
    List<Parameter> lacking = new ArrayList<>(parameters());
    lacking.removeIf(each -> each.name().equals("ip_adapter.21.to_v_ip.weight"));
    FormulaWeights.write(file, lacking, 9);
    assertRefused("ip_adapter.21.to_v_ip.weight", file);

    List<Parameter> more = new ArrayList<>(parameters());
    more.add(new Parameter("ip_adapter.23.to_k_ip.weight", List.of(20L, 20L)));
    FormulaWeights.write(file, more, 9);
    assertRefused("ip_adapter.23.to_k_ip.weight", file);

    List<Parameter> narrow = new ArrayList<>(parameters());
    narrow.removeIf(each -> each.name().equals("image_proj.proj_out.weight"));
    narrow.add(new Parameter("image_proj.proj_out.weight", List.of(19L, 20L)));
    FormulaWeights.write(file, narrow, 9);
    assertRefused("19 wide", file);

    FormulaWeights.write(file, List.of(new Parameter("a.weight", List.of(2L, 2L))), 9);
    assertThrows(InvalidFileException.class, () -> IpAdapter.of(file));
    Files.createDirectory(folder.resolve("empty"));
    assertThrows(InvalidFileException.class, () -> IpAdapter.of(folder.resolve("empty")));
  }

  private void assertRefused(String part, Path file) throws IOException {
    IpAdapter adapter = IpAdapter.of(file);
    String message =
        assertThrows(InvalidFileException.class, () -> adapter.load(unet)).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void anotherFileIsAnotherAdapter() throws IOException {
    Path one = folder.resolve("one.safetensors");
    Path other = folder.resolve("other.safetensors");
    FormulaWeights.write(one, parameters(), 1);
    FormulaWeights.write(other, parameters(), 2);
    assertNotEquals(IpAdapter.of(one), IpAdapter.of(other));
    assertEquals(IpAdapter.of(one), IpAdapter.of(one).withoutFolders());
    assertEquals("one.safetensors", IpAdapter.of(one).withoutFolders().file().toString());
  }
}
