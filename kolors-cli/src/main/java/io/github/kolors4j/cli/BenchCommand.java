package io.github.kolors4j.cli;

import io.github.kolors4j.cli.benchmarks.KernelBenchmark;
import io.github.kolors4j.cli.benchmarks.MachinePeak;
import io.github.kolors4j.cli.benchmarks.ProcessMemory;
import io.github.kolors4j.cli.benchmarks.StageBenchmark;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.ThreadPool;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Time and memory of a stage, or of the kernels. */
@Command(
    name = "bench",
    description = "Measures a stage of a checkpoint, or the kernels against the machine's peak.",
    sortOptions = false)
final class BenchCommand implements Callable<Integer> {
  private static final double NO_PEAK = Double.NaN;

  private final Terminal terminal;
  private final Interruption interruption;

  @Mixin private CommonOptions.WeightsOption model;

  @Option(
      names = "--stage",
      paramLabel = "text|unet|vae|image",
      description = "What to measure; of unet one step, without what is computed once a prompt.")
  private String stage;

  @Option(
      names = "--kernels",
      description = "Measure the operations at the full model's shapes; needs no checkpoint.")
  private boolean kernels;

  @Option(
      names = "--only",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "With --kernels: those whose name has this in it.")
  private String only;

  @Option(
      names = "--width",
      paramLabel = "N",
      description = "Pixels. Default: 512, or what the model was trained on where that is less.")
  private Integer width;

  @Option(
      names = "--height",
      paramLabel = "N",
      description = "Pixels. Default: 512, or what the model was trained on where that is less.")
  private Integer height;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "2",
      description = "Samples of the U-Net, prompts of the text encoder. Default: 2.")
  private int batch;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "4",
      description = "Of a whole image. Default: 4.")
  private int steps;

  @Option(
      names = "--controlnet",
      paramLabel = "DIR",
      description = "Leads a whole image by this ControlNet and a black picture.")
  private @Nullable Path controlNet;

  @Option(
      names = "--ip-adapter",
      paramLabel = "DIR|FILE",
      description = "Makes a whole image with this IP-Adapter and a black picture.")
  private @Nullable Path ipAdapter;

  @Option(names = "--runs", paramLabel = "N", defaultValue = "3", description = "Default: 3.")
  private int runs;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      defaultValue = "1",
      description = "Runs that are not counted. Default: 1.")
  private int warmup;

  @Option(
      names = "--seconds",
      paramLabel = "X",
      defaultValue = "1",
      converter = Numbers.Decimal.class,
      description =
          "With --kernels: how long to repeat each; below 1, the peak is measured for less time,"
              + " too. Default: 1.")
  private double seconds;

  @Option(names = "--json", description = "One JSON object a run, or one for all kernels.")
  private boolean json;

  @Mixin private WeightFileOptions weightFiles;
  @Mixin private AdapterOptions adapters;
  @Mixin private CommonOptions.PrecisionOption precision;
  @Mixin private CommonOptions.ThreadsOption threads;
  @Mixin private CommonOptions common;

  BenchCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    if (kernels == (stage != null)) {
      throw new UsageException("[bench] give --stage text, unet, vae or image, or --kernels.");
    }
    int threadCount = threads.number();
    Precision chosen = precision.value();
    if (runs < 1 || warmup < 0) {
      throw new UsageException(
          "[bench] --runs %d --warmup %d: at least one run is needed, and no less than no warm-up."
              .formatted(runs, warmup));
    }
    requireRead("--unet", weightFiles.hasUnet(), "unet", "image");
    requireRead("--vae", weightFiles.hasVae(), "vae", "image");
    requireRead("--text-encoder", weightFiles.hasTextEncoder(), "text", "image");
    requireRead("--lora", adapters.isGiven(), "text", "unet", "image");
    requireRead("--controlnet", controlNet != null, "image");
    requireRead("--ip-adapter", ipAdapter != null, "image");
    if (kernels) {
      benchKernels(threadCount, Products.of(chosen));
    } else {
      benchStage(new StageBenchmark.Engine(threadCount, chosen));
    }
    return KolorsCommand.OK;
  }

  /** What is given for nothing is refused: its cost would be looked for in the figures. */
  private void requireRead(String option, boolean given, String... stages) {
    if (given && Arrays.stream(stages).noneMatch(each -> each.equals(stage))) {
      throw new UsageException(
          "[bench] %s: only --stage %s reads it. Leave it out."
              .formatted(option, String.join(" or ", stages)));
    }
  }

  private StageBenchmark.Stage stage() {
    return Arrays.stream(StageBenchmark.Stage.values())
        .filter(each -> each.name().toLowerCase(Locale.ROOT).equals(stage))
        .findFirst()
        .orElseThrow(
            () ->
                new UsageException(
                    "[bench] --stage %s: use text, unet, vae or image.".formatted(stage)));
  }

  private void benchStage(StageBenchmark.Engine engine) throws IOException {
    StageBenchmark.Stage chosen = stage();
    StageBenchmark.SingleFiles files =
        new StageBenchmark.SingleFiles(
            weightFiles.unet(),
            weightFiles.vae(repo -> model.repository(terminal, interruption, repo)),
            weightFiles.textEncoder());
    StageBenchmark.Weights weights =
        new StageBenchmark.Weights(
            model.directory(terminal, interruption),
            model.variant(),
            files,
            adapters.adapters(),
            new StageBenchmark.Followed(
                Optional.ofNullable(controlNet), Optional.ofNullable(ipAdapter)));
    StageBenchmark.Size size = size(chosen, weights);
    long begin = System.nanoTime();
    try (ProcessMemory memory = new ProcessMemory();
        StageBenchmark benchmark =
            UsageException.check(() -> StageBenchmark.open(chosen, weights, size, engine))) {
      double loadSeconds = (System.nanoTime() - begin) / 1e9;
      for (int i = 0; i < warmup + runs; i++) {
        StageBenchmark.Run run = UsageException.check(benchmark::run);
        if (i >= warmup) {
          print(result(benchmark, run, size, engine, loadSeconds, memory), i == warmup);
        }
      }
    }
  }

  private StageBenchmark.Size size(StageBenchmark.Stage chosen, StageBenchmark.Weights weights)
      throws IOException {
    int side = width == null || height == null ? StageBenchmark.defaultSide(chosen, weights) : 0;
    return new StageBenchmark.Size(
        width == null ? side : width, height == null ? side : height, batch, steps);
  }

  private Map<String, Object> result(
      StageBenchmark benchmark,
      StageBenchmark.Run run,
      StageBenchmark.Size size,
      StageBenchmark.Engine engine,
      double loadSeconds,
      ProcessMemory memory) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("stage", stage);
    result.put("seconds", rounded(run.seconds(), 4));
    new TreeMap<>(run.more()).forEach((name, value) -> result.put(name, rounded(value, 4)));
    result.put("gflops", rounded(run.flop() / run.seconds() / 1e9, 1));
    if (adapters.isGiven()) {
      result.put("lora_modules", benchmark.adaptedModules());
    }
    result.put("threads", engine.threads());
    result.put("precision", engine.precision().toString());
    result.put("rss_gb", gigabytes(memory.resident()));
    result.put("anon_gb", gigabytes(memory.anonymous()));
    result.put("load_seconds", rounded(loadSeconds, 4));
    result.put("width", size.width());
    result.put("height", size.height());
    result.put("batch", size.batch());
    result.put("steps", size.steps());
    return result;
  }

  private void print(Map<String, Object> result, boolean first) {
    if (json) {
      terminal.out().println(JsonWriter.compact(result));
      return;
    }
    List<String> names = List.copyOf(result.keySet());
    if (first) {
      terminal.out().println(row(names, names));
    }
    terminal
        .out()
        .println(
            row(
                names,
                names.stream()
                    .map(result::get)
                    .map(value -> value == null ? "-" : value.toString())
                    .toList()));
  }

  /** Values right-aligned below their names. */
  private static String row(List<String> names, List<String> values) {
    StringBuilder row = new StringBuilder();
    for (int i = 0; i < names.size(); i++) {
      int columns = Math.max(9, names.get(i).length());
      row.append(("%" + (i == 0 ? -columns : columns + 1) + "s").formatted(values.get(i)));
    }
    return row.toString();
  }

  private void benchKernels(int threadCount, Products products) {
    List<String> names =
        KernelBenchmark.names().stream().filter(name -> name.contains(only)).toList();
    if (names.isEmpty()) {
      throw new UsageException(
          "[bench] --only %s: no kernel has that in its name; there are: %s."
              .formatted(only, String.join("; ", KernelBenchmark.names())));
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("threads", threadCount);
    result.put("precision", products.precision().toString());
    try (ThreadPool pool = new ThreadPool(threadCount)) {
      Peak fma = new Peak("FMA", () -> fmaPeak(pool));
      Peak chosen =
          products
              .kernel()
              .map(kernel -> new Peak(kernel.description(), () -> bf16Peak(kernel, pool)))
              .orElse(fma);
      chosen.measure();
      List<Map<String, Object>> measured = new ArrayList<>();
      if (!json) {
        terminal
            .out()
            .printf(
                "%-44s %9s %9s %8s %9s %6s  %s%n",
                "kernel", "ms", "median", "GFLOP/s", "peak", "share", "by");
      }
      for (String name : names) {
        KernelBenchmark.Result kernel = KernelBenchmark.measure(name, pool, products, seconds);
        Peak of = kernel.inF32() ? fma : chosen;
        double peak = of.measure();
        measured.add(kernelJson(kernel, peak, of.instruction()));
        if (!json) {
          terminal
              .out()
              .printf(
                  Locale.ROOT,
                  "%-44s %9.2f %9.2f %8.1f %9.1f %6s  %s%n",
                  name,
                  kernel.best() * 1e3,
                  kernel.median() * 1e3,
                  kernel.gflops(),
                  peak,
                  Double.isNaN(peak) ? "-" : "%.2f".formatted(kernel.gflops() / peak),
                  of.instruction());
        }
      }
      // Last: where vectors of another width have run, as in no pipeline, C2 more often makes slow
      // code of Winograd's weights (five processes of six, without them two of five).
      benchPeaks(pool, result);
      products.kernel().ifPresent(kernel -> benchPeak(kernel, pool, result));
      result.put("kernels", measured);
    }
    if (json) {
      terminal.out().println(JsonWriter.compact(result));
    }
  }

  /**
   * The rate of an instruction that products are made of. The clock falls under load and with what
   * other guests do: a share is of the peak that was measured beside the kernel, the higher one of
   * before and after.
   */
  private static final class Peak {
    private final String instruction;
    private final DoubleSupplier rate;
    private double before = NO_PEAK;

    Peak(String instruction, DoubleSupplier rate) {
      this.instruction = instruction;
      this.rate = rate;
    }

    String instruction() {
      return instruction;
    }

    /** GFLOP/s, or what was measured the last time if that was more. */
    double measure() {
      double after = rate.getAsDouble();
      double higher = Double.isNaN(before) ? after : Math.max(before, after);
      before = after;
      return higher;
    }
  }

  /** The rate of the widest vectors, which is the highest. */
  private double fmaPeak(ThreadPool pool) {
    List<Integer> widths = MachinePeak.widths();
    return widths.isEmpty() ? NO_PEAK : MachinePeak.gflops(widths.getLast(), pool, seconds);
  }

  /** The rates of all widths. */
  private void benchPeaks(ThreadPool pool, Map<String, Object> result) {
    Map<String, Object> peaks = new LinkedHashMap<>();
    double highest = NO_PEAK;
    for (int bits : MachinePeak.widths()) {
      double gflops = MachinePeak.gflops(bits, pool, seconds);
      peaks.put(Integer.toString(bits), rounded(gflops, 1));
      highest = Double.isNaN(highest) ? gflops : Math.max(highest, gflops);
      if (!json) {
        terminal
            .out()
            .printf(
                Locale.ROOT,
                "FMA peak, %d bits, %d threads: %.1f GFLOP/s%n",
                bits,
                pool.threads(),
                gflops);
      }
    }
    result.put("peak_gflops", rounded(highest, 1));
    result.put("peak_gflops_by_bits", peaks);
  }

  private double bf16Peak(Bf16Kernel kernel, ThreadPool pool) {
    return MachinePeak.gflops(kernel, pool, seconds);
  }

  /** The rate of BF16. */
  private void benchPeak(Bf16Kernel kernel, ThreadPool pool, Map<String, Object> result) {
    double gflops = bf16Peak(kernel, pool);
    if (!json) {
      terminal
          .out()
          .printf(
              Locale.ROOT,
              "%s peak, %d threads: %.1f GFLOP/s%n",
              kernel.description(),
              pool.threads(),
              gflops);
    }
    result.put("bf16_peak_gflops", rounded(gflops, 1));
  }

  private static Map<String, Object> kernelJson(
      KernelBenchmark.Result kernel, double peak, String instruction) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("name", kernel.name());
    object.put("seconds", rounded(kernel.best(), 6));
    object.put("median_seconds", rounded(kernel.median(), 6));
    object.put("gflops", rounded(kernel.gflops(), 1));
    object.put("peak_gflops", rounded(peak, 1));
    object.put("instruction", instruction);
    object.put("share_of_peak", rounded(kernel.gflops() / peak, 3));
    return object;
  }

  /** Null where nobody knows. */
  private static @Nullable BigDecimal gigabytes(OptionalLong bytes) {
    return bytes.isPresent() ? rounded(bytes.getAsLong() / 1e9, 3) : null;
  }

  /** Null where there is no number. */
  private static @Nullable BigDecimal rounded(double value, int digits) {
    return Double.isFinite(value)
        ? BigDecimal.valueOf(value).setScale(digits, RoundingMode.HALF_EVEN)
        : null;
  }
}
