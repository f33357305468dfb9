package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.kolors4j.tensor.FloatArray;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LatentColoursTest {
  private static final LatentColours COLOURS =
      new LatentColours(
          new float[][] {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, 0}}, new float[] {0, 0, -1});

  @Test
  void latentsBecomeColoursByTheirWeights() {
    float[] z = {1, -1, 0.5f, 0, 1, 0, 1, 1}; // two cells of four channels
    byte[] rgb = COLOURS.picture(FloatArray.of(z, 1, 4, 1, 2)).rgb();
    assertArrayEquals(new byte[] {(byte) 255, (byte) 191, (byte) 128, 0, (byte) 128, 0}, rgb);
  }

  @Test
  void noisyLatentsAreBroughtToTheContrastOfFinishedOnes() {
    float[] noisy = new float[8];
    Arrays.fill(noisy, 10);
    byte[] scaled = COLOURS.picture(FloatArray.of(noisy, 1, 4, 1, 2)).rgb();
    assertEquals((byte) 255, scaled[0]);
    assertEquals((byte) 128, scaled[2]);
  }
}
