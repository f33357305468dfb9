package io.github.kolors4j.scheduler;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.NewDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The schedulers of this library, by name and from files. */
public final class Schedulers {
  private static final List<SchedulerType> ALL =
      List.of(
          EulerDiscreteScheduler.TYPE,
          DPMSolverMultistepScheduler.TYPE,
          DDIMScheduler.TYPE,
          DDPMScheduler.TYPE,
          PNDMScheduler.TYPE,
          LMSDiscreteScheduler.TYPE,
          HeunDiscreteScheduler.TYPE,
          EulerAncestralDiscreteScheduler.TYPE,
          DPMSolverSinglestepScheduler.TYPE,
          KDPM2DiscreteScheduler.TYPE,
          KDPM2AncestralDiscreteScheduler.TYPE,
          DEISMultistepScheduler.TYPE,
          UniPCMultistepScheduler.TYPE,
          DPMSolverSDEScheduler.TYPE,
          EDMEulerScheduler.TYPE,
          EDMDPMSolverMultistepScheduler.TYPE,
          LCMScheduler.TYPE,
          TCDScheduler.TYPE);

  private Schedulers() {}

  /**
   * All classes of schedulers.
   *
   * @return the default first
   */
  public static List<SchedulerType> all() {
    return ALL;
  }

  /**
   * Finds a class of schedulers.
   *
   * @param name that of the class, as {@code DPMSolverMultistepScheduler}, or a short one, as
   *     {@code dpmsolver++}; capitals do not matter
   * @return the class
   * @throws IllegalArgumentException if there is none of that name
   */
  public static SchedulerType byName(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "[scheduler] no scheduler \""
                        + OptionException.shown(name)
                        + "\": use one of "
                        + names(type -> type.shortNames().getFirst())
                        + "."));
  }

  /**
   * The scheduler that somebody chooses beside a model's own: another class from its configuration,
   * its own class with other options, or both.
   *
   * @param own the model's
   * @param name of another class, as {@link #byName} takes it; null for the same
   * @param options values that go before those of the model's
   * @return the model's own where neither is chosen
   * @throws IllegalArgumentException if there is no class of that name, it has no such option, or
   *     does not take the value
   */
  public static Scheduler chosen(Scheduler own, @Nullable String name, Map<?, ?> options) {
    if (name == null && options.isEmpty()) {
      return own;
    }
    return byName(name == null ? own.className() : name).fromConfig(own.config(), options);
  }

  /**
   * Loads the scheduler of a checkpoint.
   *
   * @param schedulerDirectory holds {@code scheduler_config.json}
   * @return the scheduler that the file names, with its options
   * @throws InvalidFileException if the file cannot be read, or names a scheduler or a value that
   *     is not supported
   */
  public static Scheduler load(Path schedulerDirectory) throws InvalidFileException {
    Path file = schedulerDirectory.resolve("scheduler_config.json");
    SchedulerConfig config = SchedulerConfig.read(file);
    try {
      String className = config.text(SchedulerConfig.CLASS_NAME);
      return find(className)
          .orElseThrow(
              () ->
                  new OptionException(
                      SchedulerConfig.CLASS_NAME,
                      className,
                      "supported are " + names(SchedulerType::className) + "."))
          .fromConfig(config, Map.of());
    } catch (OptionException e) {
      throw new InvalidFileException("[config] " + file + ": " + e.reason(), e);
    }
  }

  /**
   * Saves a scheduler as diffusers and {@link #load} read it: {@code scheduler_config.json} with
   * the name of its class and all options.
   *
   * @param scheduler one of this library's classes
   * @param schedulerDirectory the folder to be; it must not exist, or be empty
   * @throws IOException if the folder has files, or the file cannot be written; nothing is left
   *     then
   * @throws IllegalArgumentException if the scheduler is of a class of one's own, which nothing
   *     could load
   */
  public static void save(Scheduler scheduler, Path schedulerDirectory) throws IOException {
    requireSavable(scheduler);
    Map<String, Object> named = new LinkedHashMap<>();
    named.put(SchedulerConfig.CLASS_NAME, scheduler.className());
    SchedulerConfig config = scheduler.config();
    config.keys().forEach(key -> named.putIfAbsent(key, config.get(key)));
    try (var target = NewDirectory.create("save", schedulerDirectory, 0, "")) {
      target.write("scheduler_config.json", SchedulerConfig.of(named) + "\n");
      target.complete();
    }
  }

  /**
   * Checks that a scheduler can be saved.
   *
   * @param scheduler any
   * @throws IllegalArgumentException if it is of a class of one's own, which nothing could load
   */
  public static void requireSavable(Scheduler scheduler) {
    if (ALL.stream().noneMatch(type -> type.className().equals(scheduler.className()))) {
      throw new IllegalArgumentException(
          "[save] %s is none of diffusers' schedulers, so that nothing could load it: save with one of %s."
              .formatted(scheduler.className(), names(SchedulerType::className)));
    }
  }

  private static Optional<SchedulerType> find(String name) {
    return ALL.stream()
        .filter(
            type ->
                type.className().equalsIgnoreCase(name)
                    || type.shortNames().stream().anyMatch(name::equalsIgnoreCase))
        .findFirst();
  }

  private static String names(Function<SchedulerType, String> name) {
    return ALL.stream().map(name).collect(Collectors.joining(", "));
  }
}
