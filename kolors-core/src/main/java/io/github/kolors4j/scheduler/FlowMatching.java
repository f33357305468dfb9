package io.github.kolors4j.scheduler;

import java.util.List;
import java.util.Objects;

/** The options of flow matching, for which Kolors was not trained: all must be left as they are. */
final class FlowMatching {
  private static final List<String> OPTIONS =
      List.of(
          "use_flow_sigmas",
          "flow_shift",
          "use_dynamic_shifting",
          "time_shift_type",
          "shift_terminal");

  private FlowMatching() {}

  /** Refuses by name what is set; keys that the class does not define do not count. */
  static void refuse(SchedulerType type, SchedulerConfig config) {
    for (String key : OPTIONS) {
      if (!type.defaults().keys().contains(key)) {
        continue;
      }
      Object value = config.get(key);
      Object allowed = type.defaults().get(key);
      boolean equal =
          (value instanceof Number number && allowed instanceof Number least)
              ? number.doubleValue() == least.doubleValue()
              : Objects.equals(allowed, value);
      if (!equal) {
        throw new OptionException(
            key, value, "flow matching is not supported, leave it at " + Json.write(allowed) + ".");
      }
    }
    if ("flow_prediction".equals(config.get("prediction_type"))) {
      throw new OptionException(
          "prediction_type",
          "flow_prediction",
          "flow matching is not supported, use epsilon, sample or v_prediction.");
    }
  }
}
