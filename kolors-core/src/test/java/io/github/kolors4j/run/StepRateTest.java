package io.github.kolors4j.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class StepRateTest {
  private static long rate(long... millis) {
    StepRate rate = new StepRate();
    for (long each : millis) {
      rate.add(TimeUnit.MILLISECONDS.toNanos(each));
    }
    return TimeUnit.NANOSECONDS.toMillis(rate.nanosPerStep());
  }

  @Test
  void aShortFirstStepTellsNothing() {
    assertEquals(0, rate());
    assertEquals(0, rate(500));
    assertEquals(60, rate(500, 60));
    assertEquals(50, rate(4_999, 60, 40));
  }

  @Test
  void aLongFirstStepCountsAtOnce() {
    assertEquals(5_000, rate(5_000));
    assertEquals(30_000, rate(34_000, 26_000));
  }
}
