package io.github.kolors4j.scheduler;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One class of scheduler: its names, its options with their defaults, and how to make one. */
public final class SchedulerType {
  private final String className;
  private final List<String> shortNames;
  private final Map<String, Option<?>> options;
  private final SchedulerConfig defaults;
  private final boolean takesTimesteps;
  private final Function<OptionValues, Scheduler> constructor;

  private SchedulerType(Builder builder, Function<OptionValues, Scheduler> constructor) {
    this.className = builder.className;
    this.shortNames = builder.shortNames;
    this.options = new LinkedHashMap<>(builder.options);
    this.defaults = new SchedulerConfig(builder.defaults, builder.defaults.keySet());
    this.takesTimesteps = builder.takesTimesteps;
    this.constructor = constructor;
  }

  /** A type whose options follow, in the order of diffusers' {@code __init__}. */
  static Builder of(Class<? extends Scheduler> type, String... shortNames) {
    return new Builder(type.getSimpleName(), List.of(shortNames));
  }

  /** The options of a type, a row each. */
  static final class Builder {
    private final String className;
    private final List<String> shortNames;
    private final Map<String, Option<?>> options = new LinkedHashMap<>();
    private final Map<String, @Nullable Object> defaults = new LinkedHashMap<>();
    private boolean takesTimesteps;

    private Builder(String className, List<String> shortNames) {
      this.className = className;
      this.shortNames = shortNames;
    }

    /** An option with its default. */
    <T> Builder option(Option<T> option, T defaultValue) {
      return row(option, raw(defaultValue));
    }

    /** An option that is null where nobody sets it. */
    <T> Builder option(Option<Optional<T>> option) {
      return row(option, null);
    }

    /** An option that must be left at its default. */
    Builder fixed(Option<?> option, @Nullable Object defaultValue) {
      return row(option, defaultValue);
    }

    /** Says that a caller may choose the timesteps one by one. */
    Builder takesTimesteps() {
      takesTimesteps = true;
      return this;
    }

    private static Object raw(Object typed) {
      return switch (typed) {
        case Enum<?> constant -> Option.name(constant);
        case Optional<?> optional -> raw(optional.orElseThrow());
        default -> typed;
      };
    }

    private Builder row(Option<?> option, @Nullable Object defaultValue) {
      options.put(option.key(), option);
      defaults.put(option.key(), SchedulerConfig.plain(option.key(), defaultValue));
      return this;
    }

    SchedulerType build(Function<OptionValues, Scheduler> constructor) {
      return new SchedulerType(this, constructor);
    }
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
   * The options of the class, with which values they take and what they mean.
   *
   * @return in the order of diffusers
   */
  public List<SchedulerOption> options() {
    return options.values().stream()
        .map(
            option ->
                new SchedulerOption(
                    option.key(), defaults.get(option.key()), option.values(), option.meaning()))
        .toList();
  }

  /**
   * Makes a scheduler of this class from any scheduler's configuration; diffusers {@code
   * from_config}.
   *
   * @param config values that somebody set are taken over, or kept for others where this class does
   *     not know them; values that were only defaults are not. What the scheduler does not use, as
   *     it is configured, is not looked at
   * @param options values that go before those of {@code config}; may be left out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take the value
   */
  public Scheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return constructor.apply(values(config, options));
  }

  /** What each option is, from a configuration of any scheduler and from options of this one. */
  OptionValues values(SchedulerConfig config, Map<?, ?>[] options) {
    Map<String, @Nullable Object> given = new LinkedHashMap<>();
    for (Map<?, ?> each : options) {
      each.forEach((key, value) -> given.put(String.valueOf(key), value));
    }
    given.forEach(this::check);
    Map<String, @Nullable Object> known = new LinkedHashMap<>();
    Map<String, @Nullable Object> hidden = config.withoutDefaults();
    hidden.remove(SchedulerConfig.CLASS_NAME);
    Set<String> untouched = new LinkedHashSet<>();
    for (String key : this.options.keySet()) {
      if (given.containsKey(key)) {
        known.put(key, SchedulerConfig.plain(key, given.get(key)));
      } else if (hidden.containsKey(key)) {
        known.put(key, hidden.get(key));
      } else {
        known.put(key, defaults.get(key));
        untouched.add(key);
      }
      hidden.remove(key);
    }

    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    all.put(SchedulerConfig.CLASS_NAME, className);
    all.putAll(known);
    all.putAll(hidden);
    return new OptionValues(this, new SchedulerConfig(all, untouched));
  }

  /** What somebody asks for by name must be right, also where the scheduler would not use it. */
  private void check(String key, @Nullable Object value) {
    Option<?> option = options.get(key);
    if (option == null) {
      throw new OptionException(
          className
              + " has no option "
              + OptionException.shown(key)
              + ": use one of "
              + String.join(", ", options.keySet())
              + ".");
    }
    option.read(SchedulerConfig.plain(key, value));
  }

  /** The class's own option of a key, or else the given one. */
  @SuppressWarnings("unchecked") // options of one key are of one type
  <T> Option<T> own(Option<T> option) {
    return (Option<T>) options.getOrDefault(option.key(), option);
  }

  boolean takesTimesteps() {
    return takesTimesteps;
  }

  boolean has(Option<?> option) {
    return options.containsKey(option.key());
  }

  /** A value under the name that the class itself has for it. */
  @Nullable Object renamed(String key, @Nullable Object value) {
    Option<?> option = options.get(key);
    return option == null ? value : option.renamed().getOrDefault(value, value);
  }

  /** {@code EulerDiscreteScheduler (euler)}. */
  @Override
  public String toString() {
    return className + " (" + String.join(", ", shortNames) + ")";
  }
}
