package io.github.kolors4j.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The U-Net under diffusers' {@code PAGMixin}. */
class PerturbedAttentionTest {
  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);
  private Fixture fixture;
  private UNet2DConditionModel unet;
  private float timestep;

  @BeforeEach
  void open() throws IOException {
    fixture = Fixture.open("unet/perturbed");
    unet = UNet2DConditionModel.of(UNet2DConditionConfig.of(fixture.config()), fixture.source());
    timestep = fixture.floats("input.timestep")[0];
  }

  @AfterEach
  void close() {
    fixture.close();
    workspace.close();
    threads.close();
  }

  /** The last rows of an input: three are negative, positive and positive. */
  private Tensor last(int rows, String key) {
    Tensor all = fixture.tensor(workspace, key);
    int[] dims = all.shape().dims();
    int size = all.shape().size() / dims[0];
    int from = (dims[0] - rows) * size;
    dims[0] = rows;
    return workspace.copyOf(Arrays.copyOfRange(all.data(), from, from + rows * size), dims);
  }

  private Conditioning prepare(int rows) {
    float[][] timeIds = fixture.rows("input.time_ids");
    return unet.prepare(
        last(rows, "input.encoder_hidden_states"),
        last(rows, "input.text_embeds"),
        Arrays.copyOfRange(timeIds, timeIds.length - rows, timeIds.length));
  }

  private Tensor perturbed(int rows, PerturbedAttention pag) {
    return unet.forward(input(rows).withPerturbedAttention(pag));
  }

  private Tensor plain(int rows) {
    return unet.forward(input(rows));
  }

  private UNet2DConditionInput input(int rows) {
    return UNet2DConditionInput.of(last(rows, "input.sample"), timestep, prepare(rows));
  }

  private JsonArray metadata(String key) {
    return JsonParser.parseString(fixture.source().metadata().get(key)).getAsJsonArray();
  }

  private static List<String> texts(JsonElement json) {
    return json.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toList();
  }

  @Test
  void perturbsTheLayersThatDiffusersPerturbs() {
    for (JsonElement each : metadata("cases")) {
      JsonObject json = each.getAsJsonObject();
      PerturbedAttention pag = unet.perturbedAttention(texts(json.get("pag_applied_layers")), 1);
      assertEquals(Set.copyOf(texts(json.get("names"))), pag.names());
    }
  }

  @Test
  void predictsAsDiffusersDoesWithAndWithoutGuidance() {
    JsonArray cases = metadata("cases");
    for (int i = 0; i < cases.size(); i++) {
      PerturbedAttention pag =
          unet.perturbedAttention(
              texts(cases.get(i).getAsJsonObject().get("pag_applied_layers")), 1);
      fixture.assertClose("output.guided." + i, perturbed(3, pag));
      fixture.assertClose("output.unguided." + i, perturbed(2, pag));
    }
  }

  @Test
  void theOtherRowsAreThoseOfThePlainForwardToTheLastBit() {
    for (String layers : List.of("mid", "")) {
      Tensor three = perturbed(3, unet.perturbedAttention(List.of(layers), 1));
      assertArrayEquals(plain(3).first(2).toArray(), three.first(2).toArray());

      float[] all = three.toArray();
      int row = all.length / 3;
      assertFalse(
          Arrays.equals(all, row, 2 * row, all, 2 * row, 3 * row), "the last row is perturbed");
    }
  }

  @Test
  void aPerturbedRowDoesNotDependOnTheRowsBesideIt() {
    PerturbedAttention pag = unet.perturbedAttention(List.of("blocks.1"), 1);
    float[] three = perturbed(3, pag).toArray();
    int row = three.length / 3;
    assertArrayEquals(Arrays.copyOfRange(three, 2 * row, 3 * row), perturbed(1, pag).toArray());
  }

  @Test
  void nothingIsPerturbedWithoutLayersOrRows() {
    float[] plain = plain(3).toArray();
    PerturbedAttention none = unet.perturbedAttention(List.of(), 1);
    assertEquals(Set.of(), none.names());
    assertArrayEquals(plain, perturbed(3, none).toArray());
    PerturbedAttention all = unet.perturbedAttention(List.of(""), 0);
    assertArrayEquals(plain, perturbed(3, all).toArray());
  }

  @Test
  void refusesTheLayersThatDiffusersDoesNotFind() {
    for (String layer : texts(metadata("refused"))) {
      assertRefused(
          "[request] pag_applied_layers \"%s\": no self-attention has it in its name. Blocks with self-attentions are down_blocks.1, down_blocks.2, mid_block, up_blocks.0, up_blocks.1; a whole name is down_blocks.1.attentions.0.transformer_blocks.0.attn1."
              .formatted(layer),
          () -> unet.perturbedAttention(List.of("mid", layer), 1));
    }
  }

  @Test
  void refusesWhatIsNoRegularExpression() {
    assertRefused(
        "[request] pag_applied_layers \"blocks.(1|2\": not a regular expression, Unclosed group at character 11. A plain part of a name, as mid, is one too.",
        () -> unet.perturbedAttention(List.of("blocks.(1|2"), 1));
  }

  @Test
  void refusesToPerturbMoreRowsThanThereAre() {
    for (int rows : new int[] {-1, 3}) {
      PerturbedAttention pag = unet.perturbedAttention(List.of("mid"), rows);
      assertRefused(
          "[unet] perturbedRows is %d: the sample has 0 to 2 rows to perturb.".formatted(rows),
          () -> perturbed(2, pag));
    }
  }

  private static void assertRefused(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
