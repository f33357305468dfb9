package io.github.kolors4j.scheduler;

import io.github.kolors4j.safetensors.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/**
 * The options of flow matching, for which Kolors was not trained. The first switches it on; the
 * others then say how, and are not looked at without it.
 */
final class FlowMatching {
  private FlowMatching() {}

  static final Option<Boolean> USE_FLOW_SIGMAS =
      option("use_flow_sigmas", "whether noise levels are those of flow matching", false);

  static final Option<Boolean> FLOW_SHIFT =
      option("flow_shift", "where the noise levels of flow matching are denser", 1.0);

  static final Option<Boolean> USE_DYNAMIC_SHIFTING =
      option("use_dynamic_shifting", "whether that follows the size of the picture", false);

  static final Option<Boolean> TIME_SHIFT_TYPE =
      option("time_shift_type", "by which law", "exponential");

  static final Option<Boolean> SHIFT_TERMINAL =
      option("shift_terminal", "where the noise levels of flow matching end", null);

  /** What the model's output is, where flow matching has one of its own. */
  static final Option<PredictionType> PREDICTION_TYPE =
      SharedOptions.PREDICTION_TYPE.refusing(
          "flow_prediction",
          "flow matching is not supported, use epsilon, sample or v_prediction.");

  /** Refuses flow matching; the other options say nothing as long as it is off. */
  static void refuse(OptionValues options) {
    options.get(USE_FLOW_SIGMAS);
  }

  private static Option<Boolean> option(String key, String meaning, @Nullable Object defaultValue) {
    return Option.fixed(
        key,
        meaning,
        defaultValue,
        "flow matching is not supported, leave it at " + JsonWriter.line(defaultValue) + ".");
  }
}
