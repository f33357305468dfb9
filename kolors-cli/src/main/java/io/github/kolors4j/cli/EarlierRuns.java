package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.estimate.CostEstimate;
import io.github.kolors4j.estimate.MachineSpeed;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.tensor.Engine;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How fast the stages of a model ran here before, in nominal operations a second: what they took is
 * a better forecast than what a probe of the machine promises.
 *
 * @param file of all models, if there is a cache folder
 * @param key of this model on so many threads of these kernels in this precision
 * @param threads how many compute
 * @param products who computes products
 */
record EarlierRuns(Optional<Path> file, String key, int threads, Products products) {
  private static final String TEXT = "text";
  private static final String DENOISE = "denoise";
  private static final String DECODE = "decode";

  /** What a thread does in a minute at 10 GFLOP/s, less than any vector machine has. */
  private static final double MINUTE_OF_A_THREAD = 0.6e12;

  /**
   * Of shorter stages too much is the compilers', which take some two seconds of a new process, and
   * the disk's.
   */
  private static final double LEAST_SECONDS = 10;

  /**
   * Of smaller ones too, however long they took on a busy machine: ten seconds of 100 GFLOP/s. No
   * picture of the mini checkpoint has as much.
   */
  private static final double LEAST_FLOP = 1e12;

  /** Below it the compilers decide, and nobody waits for a figure. */
  private static final double FEW_SECONDS = 10;

  private static final Duration PROBE = Duration.ofSeconds(2);
  private static final int SHORT_HASH = 16;

  /** Speeds that make no difference: only the work counts. */
  private static final MachineSpeed UNIT = new MachineSpeed(1, 1, 1);

  static EarlierRuns of(KolorsPipeline pipeline, int threads) {
    Products products = Products.require(pipeline.precision()); // it has it
    String key =
        "%s, %d threads, %s%s"
            .formatted(
                pipeline.identity().hash().substring(0, SHORT_HASH),
                threads,
                Engine.current().kernels(),
                products.kernel().isEmpty() ? "" : ", " + products);
    return new EarlierRuns(
        CacheFolder.find().map(folder -> folder.resolve("speeds.json")), key, threads, products);
  }

  /** The estimate: of earlier runs for the stages that have some, of a probe for the others. */
  CostEstimate estimate(KolorsPipeline pipeline, ImageRequest request) {
    return estimate(pipeline, request, this::probe);
  }

  private MachineSpeed probe() {
    try (ThreadPool pool = new ThreadPool(threads)) {
      return MachineSpeed.measure(pool, products, PROBE);
    }
  }

  /** The same with another probe, which is asked only where a stage has no earlier run. */
  CostEstimate estimate(
      KolorsPipeline pipeline, ImageRequest request, Supplier<MachineSpeed> probe) {
    CostEstimate estimate = pipeline.estimate(request, UNIT);
    Map<String, Double> speeds = speeds();
    if (!known(speeds, TEXT, estimate.text())
        || !known(speeds, DENOISE, estimate.denoise())
        || !known(speeds, DECODE, estimate.decode())) {
      estimate = pipeline.estimate(request, probe.get());
    }
    return new CostEstimate(
        at(speeds, TEXT, estimate.text()),
        at(speeds, DENOISE, estimate.denoise()),
        at(speeds, DECODE, estimate.decode()),
        estimate.heapBytes(),
        estimate.mappedBytes(),
        estimate.diskBytes());
  }

  private static boolean known(Map<String, Double> speeds, String stage, CostEstimate.Stage work) {
    return work.flop() == 0 || speeds.containsKey(stage);
  }

  /** At the speed of earlier runs; as it is where there are none. */
  private static CostEstimate.Stage at(
      Map<String, Double> speeds, String stage, CostEstimate.Stage work) {
    Double speed = speeds.get(stage);
    return speed == null ? work : work.at(speed);
  }

  /** Says what a request above a minute will take; gives at least its work. */
  CostEstimate announce(KolorsPipeline pipeline, ImageRequest request, Terminal terminal) {
    CostEstimate work = pipeline.estimate(request, UNIT);
    double flop = work.text().flop() + work.denoise().flop() + work.decode().flop();
    if (flop < MINUTE_OF_A_THREAD * threads) {
      return work; // not worth the two seconds of a probe
    }
    CostEstimate estimate = estimate(pipeline, request);
    if (estimate.totalSeconds() > 60) {
      terminal.err().println(sentence(estimate));
    }
    return estimate;
  }

  static String sentence(CostEstimate estimate) {
    return sentence(estimate, 0);
  }

  /** The estimate, with the seconds of a start that comes before. */
  static String sentence(CostEstimate estimate, double start) {
    double total = start + estimate.totalSeconds();
    return String.format(
        Locale.ROOT,
        "%s on this machine: %stext %s, denoising %s, decoding %s; %,d MB of heap and %,d MB"
            + " of weights beside it",
        total < FEW_SECONDS ? "less than ten seconds" : "about " + clock(total),
        start == 0 ? "" : "starting and compiling " + clock(start) + ", ",
        clock(estimate.text().seconds()),
        clock(estimate.denoise().seconds()),
        clock(estimate.decode().seconds()),
        estimate.heapBytes() / 1_000_000,
        estimate.mappedBytes() / 1_000_000);
  }

  private static String clock(double seconds) {
    return ProgressBar.clock(Duration.ofMillis((long) (seconds * 1000)));
  }

  /** Remembers how fast the stages ran that took long enough to tell. */
  void remember(CostEstimate work, ImageResult result) {
    if (file.isEmpty() || seconds(result.timings().denoise()) < LEAST_SECONDS) {
      return;
    }
    // Each stage for itself: decoding is short where denoising is long.
    Map<String, Double> speeds = speeds();
    put(speeds, TEXT, work.text(), result.timings().text());
    put(speeds, DENOISE, work.denoise(), result.timings().denoise());
    put(speeds, DECODE, work.decode(), result.timings().decode());
    try {
      Map<String, Object> all = all();
      all.put(key, speeds);
      Files.createDirectories(file.get().getParent());
      Path part = Files.createTempFile(file.get().getParent(), ".speeds", ".part");
      Files.writeString(part, JsonWriter.indented(all));
      Files.move(part, file.get(), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException _) {
      // The next estimate measures again.
    }
  }

  private static void put(
      Map<String, Double> speeds, String stage, CostEstimate.Stage work, Duration took) {
    if (work.flop() >= LEAST_FLOP && seconds(took) >= LEAST_SECONDS) {
      speeds.put(stage, work.flop() / seconds(took));
    }
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  private Map<String, Double> speeds() {
    Map<String, Double> speeds = new LinkedHashMap<>();
    if (all().get(key) instanceof Map<?, ?> stages) {
      stages.forEach(
          (stage, speed) -> {
            if (speed instanceof Number number && number.doubleValue() > 0) {
              speeds.put(String.valueOf(stage), number.doubleValue());
            }
          });
    }
    return speeds;
  }

  private Map<String, Object> all() {
    try {
      return file.isEmpty() || !Files.exists(file.get())
          ? new LinkedHashMap<>()
          : new LinkedHashMap<>(JsonReader.of(Files.readString(file.get())).object());
    } catch (IOException _) {
      return new LinkedHashMap<>(); // damaged: it is made again
    }
  }
}
