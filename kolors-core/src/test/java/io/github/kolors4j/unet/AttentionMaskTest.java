package io.github.kolors4j.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.checkpoint.Fixture;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionMaskTest {

  @ParameterizedTest
  @CsvSource({
    "wide, 32, 40, 80",
    "wide, 32, 40, 20",
    "wide, 32, 40, 6",
    "small, 56, 16, 56",
    "small, 56, 16, 14",
    "small, 56, 16, 4"
  })
  void isBroughtToTheGridOfAnAttentionAsDiffusersDoes(
      String name, int width, int height, int queries) throws IOException {
    try (Fixture fixture = Fixture.open("clip/preprocessing")) {
      String key = "output.%s.mask.%dx%d".formatted(name, width, height);
      AttentionMask mask = AttentionMask.of(fixture.floats(key), height, width);
      assertArrayEquals(fixture.floats(key + "." + queries), mask.at(queries), 1e-6f);
    }
  }

  @Test
  void hasAValueForEachPixel() {
    assertThrows(IllegalArgumentException.class, () -> AttentionMask.of(new float[5], 2, 3));
  }
}
