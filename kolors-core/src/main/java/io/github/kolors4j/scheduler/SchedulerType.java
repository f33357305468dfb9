package io.github.kolors4j.scheduler;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One class of scheduler: its names, its options with their defaults, and how to make one. */
public final class SchedulerType {
  private final String className;
  private final List<String> shortNames;
  private final SchedulerConfig defaults;
  private final Function<SchedulerConfig, Scheduler> constructor;

  SchedulerType(
      String className,
      List<String> shortNames,
      Map<String, Object> defaults,
      Function<SchedulerConfig, Scheduler> constructor) {
    this.className = className;
    this.shortNames = shortNames;
    this.defaults = new SchedulerConfig(defaults, defaults.keySet());
    this.constructor = constructor;
  }

  /** Options and their defaults, in turn. */
  static Map<String, Object> options(@Nullable Object... keysAndDefaults) {
    Map<String, Object> options = new LinkedHashMap<>();
    for (int i = 0; i < keysAndDefaults.length; i += 2) {
      Object value = keysAndDefaults[i + 1];
      options.put((String) keysAndDefaults[i], SchedulerConfig.plain("", value));
    }
    return options;
  }

  /**
   * The name that diffusers gives the class.
   *
   * @return as {@code EulerDiscreteScheduler}
   */
  public String className() {
    return className;
  }

  /**
   * Shorter names, for the command line.
   *
   * @return as {@code euler}
   */
  public List<String> shortNames() {
    return shortNames;
  }

  /**
   * The options of the class, each at its default.
   *
   * @return in the order of diffusers
   */
  public SchedulerConfig defaults() {
    return defaults;
  }

  /**
   * Makes a scheduler of this class from any scheduler's configuration; diffusers {@code
   * from_config}.
   *
   * @param config values that somebody set are taken over, or kept for others where this class does
   *     not know them; values that were only defaults are not
   * @param options values that go before those of {@code config}
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take the value
   */
  public Scheduler fromConfig(SchedulerConfig config, Map<String, ?> options) {
    return constructor.apply(resolve(config, options));
  }

  SchedulerConfig resolve(SchedulerConfig config, Map<String, ?> options) {
    options
        .keySet()
        .forEach(
            key -> {
              if (!defaults.keys().contains(key)) {
                throw new OptionException(
                    className
                        + " has no option "
                        + key
                        + ": use one of "
                        + String.join(", ", defaults.keys())
                        + ".");
              }
            });

    Map<String, Object> known = new LinkedHashMap<>();
    Map<String, Object> hidden = config.withoutDefaults();
    hidden.remove(SchedulerConfig.CLASS_NAME);
    Set<String> untouched = new LinkedHashSet<>();
    for (String key : defaults.keys()) {
      if (options.containsKey(key)) {
        known.put(key, SchedulerConfig.plain(key, options.get(key)));
      } else if (hidden.containsKey(key)) {
        known.put(key, hidden.get(key));
      } else {
        known.put(key, defaults.get(key));
        untouched.add(key);
      }
      hidden.remove(key);
    }

    Map<String, Object> all = new LinkedHashMap<>();
    all.put(SchedulerConfig.CLASS_NAME, className);
    all.putAll(known);
    all.putAll(hidden);
    return new SchedulerConfig(all, untouched);
  }

  /** {@code EulerDiscreteScheduler (euler)}. */
  @Override
  public String toString() {
    return className + " (" + String.join(", ", shortNames) + ")";
  }
}
