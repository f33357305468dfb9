package io.github.kolors4j.hub;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** When another connection is worth it, by a clock that the test sets. */
class PaceTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  /** As {@link System#nanoTime} may be. */
  private static final long BEGIN = -5 * SECOND;

  private final Pace pace = new Pace();

  @Test
  void connectionsThatWaitForBytesLeaveRoomForMore() {
    pace.opened(BEGIN);
    pace.opened(BEGIN);
    pace.busy(SECOND / 10);
    assertTrue(pace.hasRoom(BEGIN + SECOND));
  }

  @Test
  void connectionsThatAreBusyDoNot() {
    pace.opened(BEGIN);
    pace.opened(BEGIN);
    pace.busy(SECOND); // of the two seconds that they have had together
    assertFalse(pace.hasRoom(BEGIN + SECOND));
  }

  @Test
  void oneThatIsStuckIsNoHindrance() {
    pace.opened(BEGIN);
    pace.busy(SECOND / 5);
    assertFalse(pace.hasRoom(BEGIN + 3 * SECOND / 5));
    assertTrue(pace.hasRoom(BEGIN + 2 * SECOND));
  }

  @Test
  void theFirstMomentSaysNothing() {
    pace.opened(BEGIN);
    assertFalse(pace.hasRoom(BEGIN + SECOND / 10));
  }

  @Test
  void whatWasLongAgoCountsLess() {
    pace.opened(BEGIN);
    pace.busy(30 * SECOND);
    assertFalse(pace.hasRoom(BEGIN + 30 * SECOND));
    long now = BEGIN + 30 * SECOND;
    for (int i = 0; i < 60; i++) {
      now += SECOND;
      pace.hasRoom(now);
    }
    assertTrue(pace.hasRoom(now));
  }

  @Test
  void timeWithoutConnectionsIsNoTimeOfWaiting() {
    pace.opened(BEGIN);
    pace.busy(SECOND);
    pace.closed(BEGIN + SECOND);
    assertFalse(pace.hasRoom(BEGIN + 60 * SECOND));
  }
}
