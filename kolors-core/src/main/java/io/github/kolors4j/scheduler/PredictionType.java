package io.github.kolors4j.scheduler;

import java.util.Locale;

/** What the model's output means. */
enum PredictionType {
  /** The noise in the sample. */
  EPSILON,
  /** The sample without noise. */
  SAMPLE,
  /** The velocity of Salimans and Ho. */
  V_PREDICTION;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
