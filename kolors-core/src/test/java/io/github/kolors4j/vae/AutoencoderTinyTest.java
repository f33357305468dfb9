package io.github.kolors4j.vae;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class AutoencoderTinyTest {

  @Test
  void decodesAndEncodesAsDiffusersDoes() throws IOException {
    try (Fixture fixture = Fixture.open("vae/taesd");
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      AutoencoderTiny vae =
          AutoencoderTiny.of(AutoencoderTinyConfig.of(fixture.config()), fixture.source());
      fixture.assertClose("output.sample", vae.decode(fixture.tensor(workspace, "input.latents")));
      fixture.assertClose("output.latents", vae.encode(fixture.tensor(workspace, "input.sample")));
      assertThrows(IllegalArgumentException.class, () -> vae.encode(workspace.tensor(1, 6, 4, 3)));
      assertThrows(IllegalArgumentException.class, () -> vae.decode(workspace.tensor(1, 6, 4, 3)));
    }
  }

  /** As the model card of madebyollin/taesdxl has it: 1,222,532 and 1,222,531 parameters. */
  @Test
  void withoutValuesItIsTaesd() throws InvalidFileException {
    AutoencoderTinyConfig config = AutoencoderTinyConfig.of(JsonConfig.parse("config.json", "{}"));
    assertEquals(AutoencoderTinyConfig.TAESD, config);
    assertEquals(8, config.scaleFactor());
    List<Parameter> parameters = AutoencoderTiny.parameters(config);
    assertEquals(1_222_532, count(parameters, "encoder."));
    assertEquals(1_222_531, count(parameters, "decoder."));
    assertTrue(
        parameters.contains(new Parameter("decoder.layers.18.weight", List.of(3L, 64L, 3L, 3L))));
  }

  private static long count(List<Parameter> parameters, String prefix) {
    return parameters.stream()
        .filter(each -> each.name().startsWith(prefix))
        .mapToLong(Parameter::size)
        .sum();
  }

  @Test
  void whatItDoesNotComputeIsRefused() {
    for (String json :
        List.of(
            "{\"act_fn\": \"silu\"}",
            "{\"upsampling_scaling_factor\": 4}",
            "{\"decoder_block_out_channels\": [64, 64, 64, 32]}",
            "{\"num_decoder_blocks\": [3, 1]}")) {
      JsonConfig config = assertDoesNotFail(json);
      assertThrows(InvalidFileException.class, () -> AutoencoderTinyConfig.of(config), json);
    }
  }

  private static JsonConfig assertDoesNotFail(String json) {
    try {
      return JsonConfig.parse("config.json", json);
    } catch (InvalidFileException e) {
      throw new AssertionError(e);
    }
  }
}
