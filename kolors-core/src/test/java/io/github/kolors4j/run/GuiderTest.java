package io.github.kolors4j.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.scheduler.Slice;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Guidance against diffusers' {@code PAGMixin} and {@code rescale_noise_cfg}. */
class GuidanceTest {
  /** Of each value. Standard deviation, quotient, products and sum are off by an ulp each. */
  private static final double RESCALE_TOLERANCE = 6 * Math.ulp(1f);

  private static final boolean MENDED = false;
  private static final boolean COMPAT = true;

  private Fixture fixture;
  private float[] noisePred;

  @BeforeEach
  void open() throws IOException {
    fixture = Fixture.open("guidance/guidance");
    noisePred = fixture.floats("input.noise_pred");
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  /** Negative, positive, positive perturbed. */
  private Slice row(int index) {
    int length = noisePred.length / 3;
    return new Slice(noisePred, index * length, length);
  }

  private static float[] values(Slice slice) {
    float[] values = new float[slice.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = slice.get(i);
    }
    return values;
  }

  private float scalar(String key) {
    return fixture.floats(key)[0];
  }

  private void guide() {
    Guider.guide(row(0), row(1), scalar("input.guidance_scale"));
  }

  @Test
  void guidesToTheBitAsDiffusersDoes() {
    float[] others = fixture.floats("input.noise_pred");
    guide();
    assertArrayEquals(fixture.floats("output.guided"), values(row(0)));
    System.arraycopy(noisePred, 0, others, 0, row(0).length());
    assertArrayEquals(others, noisePred, "only the first row has changed");
  }

  @Test
  void perturbsToTheBitAsDiffusersDoesWithGuidance() {
    for (int i = 0; i < fixture.floats("input.pag_adaptive_scale").length; i++) {
      noisePred = fixture.floats("input.noise_pred");
      guide();
      Guider.perturb(row(0), row(1), row(2), pagScale(i, 2, COMPAT));
      assertArrayEquals(fixture.floats("output.perturbed_guided." + i), values(row(0)));
    }
  }

  @Test
  void perturbsToTheBitAsDiffusersDoesWithoutGuidance() {
    for (int i = 0; i < fixture.floats("input.pag_adaptive_scale").length; i++) {
      noisePred = fixture.floats("input.noise_pred");
      Guider.perturb(row(1), row(1), row(2), pagScale(i, 2, COMPAT));
      assertArrayEquals(fixture.floats("output.perturbed." + i), values(row(1)));
    }
  }

  private float pagScale(int adaptive, int step, boolean compat) {
    return Guider.pagScaleAt(
        scalar("input.pag_scale"),
        fixture.floats("input.pag_adaptive_scale")[adaptive],
        fixture.floats("input.timestep")[step],
        compat);
  }

  @Test
  void theScaleOfAStepIsThatOfDiffusersButForTimestepsAbove1000() {
    float[] timesteps = fixture.floats("input.timestep");
    for (int i = 0; i < fixture.floats("input.pag_adaptive_scale").length; i++) {
      float[] expected = fixture.floats("output.pag_scale." + i);
      for (int step = 0; step < timesteps.length; step++) {
        assertEquals(expected[step], pagScale(i, step, COMPAT));
        assertEquals(
            timesteps[step] <= 1000 ? expected[step] : scalar("input.pag_scale"),
            pagScale(i, step, MENDED));
      }
    }
  }

  @Test
  void theScaleFallsByTheAdaptiveScaleEachTimestepAndStopsAtZero() {
    assertEquals(3, Guider.pagScaleAt(3, 0.25f, 1000, MENDED));
    assertEquals(1, Guider.pagScaleAt(3, 0.25f, 992, MENDED));
    assertEquals(0, Guider.pagScaleAt(3, 0.25f, 988, MENDED));
    assertEquals(0, Guider.pagScaleAt(3, 0.25f, 987, MENDED));
    assertEquals(28, Guider.pagScaleAt(3, 0.25f, 1100, COMPAT));
    assertEquals(3, Guider.pagScaleAt(3, 0, 1, COMPAT));
  }

  @Test
  void rescalesAsDiffusersDoes() {
    float[] rescales = fixture.floats("input.guidance_rescale");
    for (int i = 0; i < rescales.length; i++) {
      noisePred = fixture.floats("input.noise_pred");
      guide();
      Guider.rescale(row(0), row(1), rescales[i]);
      assertWithin(RESCALE_TOLERANCE, fixture.floats("output.rescaled." + i), values(row(0)));
    }
  }

  @Test
  void aWholeRescaleGivesTheStandardDeviationOfTheText() {
    float[] cfg = {10, 10, 16, 16};
    Guider.rescale(Slice.of(cfg), Slice.of(0, 1, 2, 3, 4, 5, 6), 1);
    // Variances with n − 1: 36/3 of the guided values, 28/6 of the text's.
    double factor = Math.sqrt(28.0 / 6 / 12);
    float[] expected = {
      (float) (10 * factor), (float) (10 * factor), (float) (16 * factor), (float) (16 * factor)
    };
    assertWithin(RESCALE_TOLERANCE, expected, cfg);
  }

  private static void assertWithin(double tolerance, float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs((double) actual[i] - expected[i]);
      assertTrue(
          difference <= tolerance * Math.abs(expected[i]),
          "value %d is %s, expected %s".formatted(i, actual[i], expected[i]));
    }
  }
}
