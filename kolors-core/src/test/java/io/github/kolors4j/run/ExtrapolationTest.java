package io.github.kolors4j.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.scheduler.Slice;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExtrapolationTest {
  private static List<Integer> predicted(PredictedSteps steps) {
    return IntStream.range(steps.begin(), steps.end()).filter(steps::contains).boxed().toList();
  }

  @Test
  void theFirstFiveAndTheLastTwoStepsAndEveryNthBetweenArePredicted() {
    assertEquals(List.of(3, 4, 5, 6, 7, 10, 13, 16, 17), predicted(new PredictedSteps(3, 3, 18)));
    assertEquals(28, new PredictedSteps(2, 0, 50).count());
    assertEquals(50, new PredictedSteps(1, 0, 50).count());
    assertEquals(4, new PredictedSteps(9, 0, 4).count());
  }

  /** Between times that are not equally far from each other. */
  @Test
  void whatIsOnALineIsFoundOnIt() {
    Extrapolation extrapolation = new Extrapolation(new PredictedSteps(2, 0, 20), 2);
    for (float t : new float[] {999, 950, 910}) {
      extrapolation.predicted(t, new Slice(new float[] {7, t / 64, 3 - t / 32}, 1, 2));
    }
    Slice guess = extrapolation.at(800);
    assertEquals(800f / 64, guess.get(0), 1e-4f);
    assertEquals(3 - 800f / 32, guess.get(1), 1e-4f);
  }

  @Test
  void nothingIsKeptWhereEveryStepIsPredicted() {
    Extrapolation extrapolation = new Extrapolation(new PredictedSteps(1, 0, 20), 1 << 20);
    extrapolation.predicted(1, Slice.of(new float[1]));
    assertTrue(extrapolation.isPredicted(11));
    assertEquals(0, extrapolation.at(2).length());
  }
}
