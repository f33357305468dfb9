package io.github.kolors4j.spark;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.hub.HubModel;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkFiles;
import org.apache.spark.TaskContext;

/**
 * The pipelines of this executor: one for each model, opened by the first task that needs it,
 * shared by those that come after, and gone with the process. Their weights are mapped, so that
 * executors of one machine share its memory for them, too.
 */
final class ExecutorPipeline {
  private static final Map<String, KolorsPipeline> OPEN = new HashMap<>();

  /** Texts of the full model, some 250. */
  private static final long PROMPT_BYTES = 1L << 30;

  private ExecutorPipeline() {}

  static synchronized KolorsPipeline of(SparkOptions options, TaskContext task) throws IOException {
    String key = options.fingerprint() + "\n" + options.threads() + "\n" + options.promptCache();
    KolorsPipeline open = OPEN.get(key);
    if (open == null) {
      open = open(options, threads(options, task));
      OPEN.put(key, open);
    }
    return open;
  }

  private static KolorsPipeline open(SparkOptions options, int threads) throws IOException {
    KolorsPipeline.Builder builder =
        builder(options.model())
            .threads(threads)
            .precision(Precision.of(options.precision()))
            .promptCache(PromptCache.at(promptCache(options), PROMPT_BYTES));
    if (options.variant() != null) {
      builder.variant(options.variant());
    }
    return builder.open();
  }

  /** A folder of this machine, one that the job has shipped, or a name at the hub. */
  private static KolorsPipeline.Builder builder(String model) {
    try {
      if (Files.isDirectory(Path.of(model))) {
        return KolorsPipeline.builder(Path.of(model));
      }
      Path shipped = Path.of(SparkFiles.get(model));
      if (Files.isDirectory(shipped)) {
        return KolorsPipeline.builder(shipped);
      }
    } catch (InvalidPathException _) {
      // then it is a name, or none of anything
    }
    try {
      return KolorsPipeline.builder(HubModel.of(model));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "[spark] the model %s is no folder on %s, was not shipped with the job, and is no name at the hub: give a folder that every executor sees, --archives FILE.zip#NAME and NAME, or owner/name."
              .formatted(model, TaskContext.get() == null ? "this machine" : host()),
          e);
    }
  }

  static String host() {
    return SparkEnv.get().blockManager().blockManagerId().host();
  }

  private static Path promptCache(SparkOptions options) {
    return options.promptCache() != null
        ? Path.of(options.promptCache())
        : Path.of(
            System.getProperty("java.io.tmpdir"),
            "kolors4j-prompts-" + System.getProperty("user.name"));
  }

  /** The cores of the executor: those of a task, times the tasks that run at once. */
  private static int threads(SparkOptions options, TaskContext task) {
    if (options.threads() > 0) {
      return options.threads();
    }
    int most = Runtime.getRuntime().availableProcessors();
    int cores = SparkEnv.get().conf().getInt("spark.executor.cores", 0);
    return Math.clamp(Math.max(task.cpus(), cores), 1, most);
  }
}
