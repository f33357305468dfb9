package io.github.kolors4j.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters as command lines and tables name them. */
class AdapterArgumentTest {
  @Test
  void aFileAndItsWeightsAreRead() {
    assertEquals(
        new AdapterArgument("a.safetensors", 1, Map.of()), AdapterArgument.parse("a.safetensors"));
    assertEquals(
        new AdapterArgument("a.safetensors", -0.5, Map.of()),
        AdapterArgument.parse("a.safetensors=-0.5"));
    AdapterArgument parts =
        AdapterArgument.parse("a.safetensors=0.8,up_blocks.0=0.5,text_encoder=1");
    assertEquals(
        new AdapterArgument("a.safetensors", 0.8, Map.of("up_blocks.0", 0.5, "text_encoder", 1.0)),
        parts);
    assertEquals(List.of("up_blocks.0", "text_encoder"), List.copyOf(parts.parts().keySet()));
  }

  @Test
  void aFileMayHaveEqualsSignsAndCommasInItsName() {
    assertEquals(new AdapterArgument("a,b", 0.5, Map.of()), AdapterArgument.parse("a,b=0.5"));
    assertEquals(
        new AdapterArgument("r=16/a.pt", 0.5, Map.of("mid_block", 2.0)),
        AdapterArgument.parse("r=16/a.pt=0.5,mid_block=2"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a=", "a=x", "a=0,8", "a=0.8,up_blocks", "a=0.8,up_blocks="})
  void whatIsNoWeightIsRefused(String text) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> AdapterArgument.parse(text));
    assertEquals("[adapter] %s: ".formatted(text), refused.getMessage().split("\"", -1)[0], text);
  }

  @Test
  void twoWeightsOfOnePartAreRefused() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> AdapterArgument.parse("a=1,mid_block=2,mid_block=3"));
    assertEquals(
        "[adapter] a=1,mid_block=2,mid_block=3: mid_block has two weights. Leave one out.",
        refused.getMessage());
  }
}
