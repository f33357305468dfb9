package io.github.kolors4j.djl;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.service.JobOptions;
import io.github.kolors4j.tensor.Precision;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How a checkpoint is opened: DJL's options, which are text. */
record ModelOptions(Map<String, String> values) {
  /** All that there are. */
  static final Set<String> NAMES =
      Set.of(
          "threads",
          "variant",
          "precision",
          "scheduler",
          "check_weights",
          "text_encoder_on_demand",
          "concurrency");

  /**
   * What DJL and DJL Serving understand themselves and pass on all the same: the latter has options
   * for every engine.
   */
  private static final KnownNames KNOWN =
      new KnownNames(
          "option",
          NAMES,
          Set.of(
              "modelName",
              "model_id",
              "entryPoint",
              "mpi_mode",
              "parallel_loading",
              "model_loading_timeout",
              "predict_timeout"));

  /**
   * Reads the options.
   *
   * @throws IllegalArgumentException if one has a name that nobody knows
   */
  static ModelOptions of(Map<String, ?> options) {
    KNOWN.check(options.keySet());
    Map<String, String> own = new HashMap<>();
    options.forEach(
        (name, value) -> {
          if (NAMES.contains(name)) {
            own.put(name, String.valueOf(value));
          }
        });
    return new ModelOptions(Map.copyOf(own));
  }

  private @Nullable String text(String name) {
    return values.get(name);
  }

  private int whole(String name, String text) {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "[djl] option %s is \"%s\": use a whole number.".formatted(name, text), e);
    }
  }

  private boolean flag(String name) {
    String text = text(name);
    if (text == null || text.equals("false")) {
      return false;
    }
    if (text.equals("true")) {
      return true;
    }
    throw new IllegalArgumentException(
        "[djl] option %s is \"%s\": use true or false.".formatted(name, text));
  }

  KolorsPipeline.Builder pipeline(Path directory) {
    KolorsPipeline.Builder opening = KolorsPipeline.builder(directory);
    String threads = text("threads");
    if (threads != null) {
      opening.threads(whole("threads", threads));
    }
    String variant = text("variant");
    if (variant != null) {
      opening.variant(variant);
    }
    String precision = text("precision");
    if (precision != null) {
      opening.precision(Precision.of(precision));
    }
    if (flag("check_weights")) {
      opening.checkWeights();
    }
    if (flag("text_encoder_on_demand")) {
      opening.textEncoderOnDemand();
    }
    return opening;
  }

  JobOptions jobOptions(Scheduler own) {
    String scheduler = text("scheduler");
    return scheduler == null
        ? JobOptions.DEFAULT
        : JobOptions.builder().scheduler(Schedulers.chosen(own, scheduler, Map.of())).build();
  }

  int concurrency() {
    String concurrency = text("concurrency");
    return concurrency == null ? 1 : whole("concurrency", concurrency);
  }
}
