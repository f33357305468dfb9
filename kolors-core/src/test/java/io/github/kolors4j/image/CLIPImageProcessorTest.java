package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CLIPImageProcessorTest {
  private static final int SIZE = 28;

  private static KolorsImage picture(Fixture fixture, String name) {
    int[] dims = fixture.dims("input." + name);
    return KolorsImage.of(dims[1], dims[0], fixture.bytes("input." + name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"wide", "high", "square", "small"})
  void picturesAreResizedAsPillowDoes(String name) throws IOException {
    try (Fixture fixture = Fixture.open("clip/preprocessing")) {
      KolorsImage resized = picture(fixture, name).resize(41, 23, ResizeFilter.BICUBIC);
      assertArrayEquals(fixture.bytes("output." + name + ".bicubic.41x23"), resized.rgb());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"wide", "high", "square", "small"})
  void picturesArePreparedAsTransformersDoes(String name) throws IOException {
    try (Fixture fixture = Fixture.open("clip/preprocessing");
        ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      float[] expected = fixture.tensor(workspace, "output." + name + ".pixel_values").toArray();
      float[] actual =
          CLIPImageProcessor.preprocess(workspace, picture(fixture, name), SIZE).toArray();
      assertArrayEquals(expected, actual, 1e-6f);
    }
  }

  /** So a picture's metadata need no more of it. */
  @Test
  void whatIsSeenOfASquareIsTheSquare() throws IOException {
    try (Fixture fixture = Fixture.open("clip/preprocessing")) {
      KolorsImage seen = CLIPImageProcessor.crop(picture(fixture, "wide"), SIZE);
      assertEquals(SIZE, seen.width());
      assertEquals(seen, CLIPImageProcessor.crop(seen, SIZE));
    }
  }

  @ParameterizedTest
  @CsvSource({"wide, 32, 40", "small, 56, 16"})
  void masksAreMadeAsDiffusersDoes(String name, int width, int height) throws IOException {
    try (Fixture fixture = Fixture.open("clip/preprocessing")) {
      float[] expected = fixture.floats("output.%s.mask.%dx%d".formatted(name, width, height));
      float[] mask = IPAdapterMaskProcessor.preprocess(picture(fixture, name), width, height);
      assertArrayEquals(expected, mask);
    }
  }

  @Test
  void aPartOfAPictureIsInsideOfIt() {
    byte[] rgb = new byte[3 * 4 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) i;
    }
    KolorsImage image = KolorsImage.of(4, 3, rgb);
    assertArrayEquals(
        new byte[] {18, 19, 20, 21, 22, 23, 30, 31, 32, 33, 34, 35}, image.crop(2, 1, 2, 2).rgb());
    assertThrows(IllegalArgumentException.class, () -> image.crop(3, 1, 2, 2));
    assertThrows(IllegalArgumentException.class, () -> image.crop(0, 0, 4, 0));
    assertThrows(IllegalArgumentException.class, () -> image.crop(-1, 0, 2, 2));
  }
}
