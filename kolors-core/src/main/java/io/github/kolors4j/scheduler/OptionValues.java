package io.github.kolors4j.scheduler;

import org.jspecify.annotations.Nullable;

/**
 * What each option of one scheduler is: as somebody set it, else its class's default. A value is
 * checked when it is read. So what a scheduler of another class left behind may be anything, as
 * long as this one, as it is configured, does not use it.
 */
final class OptionValues {
  private final SchedulerType type;
  private final SchedulerConfig given;
  private final SchedulerConfig config;

  OptionValues(SchedulerType type, SchedulerConfig given) {
    this.type = type;
    this.given = given;
    this.config = given.map((key, value) -> type.renamed(key, value));
  }

  SchedulerType type() {
    return type;
  }

  /** The values under their keys, with the class's own names. */
  SchedulerConfig config() {
    return config;
  }

  /** Whether the class has the option; what is only kept for others does not count. */
  boolean has(Option<?> option) {
    return type.has(option);
  }

  /**
   * An option's value, also one that is only kept for others: diffusers looks at some of these.
   *
   * @throws OptionException if the option does not take it
   */
  <T> T get(Option<T> option) {
    return type.own(option).read(given.get(option.key()));
  }

  /** The value as somebody gave it, before names of other schedulers were renamed. */
  @Nullable Object given(Option<?> option) {
    return given.get(option.key());
  }
}
