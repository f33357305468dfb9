package io.github.kolors4j.cli;

import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which scheduler takes the steps. */
final class SchedulerOptions {
  @Option(
      names = "--scheduler",
      completionCandidates = Candidates.SchedulerNames.class,
      paramLabel = "NAME",
      description =
          "A diffusers class name or a short one; see kolors schedulers. Default: the checkpoint's"
              + " own.")
  private String scheduler;

  @Option(
      names = "--scheduler-option",
      paramLabel = "key=value",
      description =
          "A key of scheduler_config.json with its value, as use_karras_sigmas=true. Repeatable.")
  private List<String> schedulerOptions = new ArrayList<>();

  /** The class, if one is named. */
  Optional<String> name() {
    return Optional.ofNullable(scheduler);
  }

  /**
   * The options, whose keys the scheduler will be asked about; a wrong name of a class is known
   * already now.
   */
  Map<String, Object> options() {
    Map<String, Object> options = new LinkedHashMap<>();
    for (String option : schedulerOptions) {
      int equals = option.indexOf('=');
      if (equals < 1) {
        throw new UsageException(
            "[arguments] --scheduler-option %s: write key=value.".formatted(option));
      }
      String key = option.substring(0, equals);
      @Nullable Object value = value(option.substring(equals + 1));
      if (options.containsKey(key)) {
        throw new UsageException("[arguments] --scheduler-option " + key + " is given twice.");
      }
      options.put(key, value);
    }
    if (scheduler != null) {
      UsageException.check(() -> Schedulers.byName(scheduler));
    }
    return options;
  }

  private static @Nullable Object value(String text) {
    try {
      return SchedulerConfig.parseValue(text);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }

  /** Another class from the checkpoint's config, or the checkpoint's with other options. */
  Scheduler chosen(Scheduler own, Map<String, Object> options) {
    return Schedulers.chosen(own, scheduler, options);
  }
}
