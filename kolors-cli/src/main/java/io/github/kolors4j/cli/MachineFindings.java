package io.github.kolors4j.cli;

import com.sun.management.OperatingSystemMXBean;
import io.github.kolors4j.cli.DoctorCommand.Finding;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.tensor.Engine;
import io.github.kolors4j.tensor.Precision;
import io.github.kolors4j.tensor.Products;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The machine, the JVM and the folders. */
final class MachineFindings {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final Path MEMORY_INFO = Path.of("/proc/meminfo");
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  /** What the full model wants in memory at 1024×1024: its U-Net, and a picture's heap. */
  private static final long WANTED_MEMORY = 12_000_000_000L;

  /** What a picture of 512×512 of the full model takes; see docs/performance.md. */
  private static final long WANTED_HEAP = 900_000_000;

  private static final Pattern MODEL = Pattern.compile("(?m)^model name\\s*:\\s*(.+)$");
  private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s*(\\d{1,15}) kB");
  private static final Pattern CHOSEN = Pattern.compile("\\[(\\w+)]");

  private MachineFindings() {}

  static List<Finding> all() {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        Finding.good("java", System.getProperty("java.vm.name") + " " + Runtime.version()));
    findings.add(
        Finding.good(
            "flags", String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments())));
    findings.add(cpu());
    findings.add(kernels());
    findings.add(precisions());
    findings.add(
        Finding.good("threads", Runtime.getRuntime().availableProcessors() + ", one a core"));
    findings.add(memory());
    findings.add(heap());
    if (System.getProperty("os.name").equals("Linux")) {
      findings.add(hugePages());
    }
    findings.add(cache());
    findings.add(hubCache());
    return List.copyOf(findings);
  }

  private static Finding cpu() {
    String name =
        read(CPU_INFO)
            .map(MODEL::matcher)
            .filter(Matcher::find)
            .map(model -> model.group(1))
            .orElse(System.getProperty("os.arch"));
    return Finding.good("cpu", name);
  }

  private static Finding kernels() {
    Engine engine = Engine.current();
    return new Finding(
        "kernels", engine.kernels() + (engine.fma() ? ", FMA" : ""), engine.slowness());
  }

  /** What there is besides F32; the same for both where both are missing, as the CPU is one. */
  private static Finding precisions() {
    List<String> there = new ArrayList<>();
    Map<String, List<String>> missing = new LinkedHashMap<>();
    for (Precision precision : List.of(Precision.BF16, Precision.F32_FAST)) {
      try {
        there.add(Products.require(precision).toString());
      } catch (UnsupportedOperationException e) {
        missing
            .computeIfAbsent(String.valueOf(e.getMessage()), _ -> new ArrayList<>())
            .add(precision.toString());
      }
    }
    StringBuilder all = new StringBuilder(Precision.F32.toString());
    there.forEach(each -> all.append(", ").append(each));
    missing.forEach(
        (reason, names) ->
            all.append("; no ").append(String.join(" or ", names)).append(": ").append(reason));
    return Finding.good("precisions", all.toString());
  }

  private static Finding memory() {
    if (!(ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system)) {
      return Finding.good("memory", "unknown");
    }
    long all = system.getTotalMemorySize();
    return new Finding(
        "memory",
        gigabytes(all) + ", " + gigabytes(available(system)) + " available",
        all < WANTED_MEMORY
            ? "the full model's U-Net does not fit, and is read from the disk in each step: more"
                + " memory, or the mini checkpoint"
            : "");
  }

  /** Also what the system keeps of files, as it gives that back. */
  private static long available(OperatingSystemMXBean system) {
    return read(MEMORY_INFO)
        .map(AVAILABLE::matcher)
        .filter(Matcher::find)
        .map(kilobytes -> Long.parseLong(kilobytes.group(1)) * 1024)
        .orElse(system.getFreeMemorySize());
  }

  private static Finding heap() {
    long most = Runtime.getRuntime().maxMemory();
    return new Finding(
        "heap",
        "at most " + gigabytes(most),
        most < WANTED_HEAP
            ? "512x512 pixels of the full model take 0.9 GB: "
                + Relaunch.OPTIONS
                + "=-Xmx2g, or a larger container"
            : "");
  }

  private static Finding hugePages() {
    Matcher chosen = CHOSEN.matcher(read(HUGE_PAGES).orElse(""));
    if (!chosen.find()) {
      return Finding.good("huge pages", "unknown");
    }
    String mode = chosen.group(1);
    boolean asked =
        ManagementFactory.getRuntimeMXBean()
            .getInputArguments()
            .contains("-XX:+UseTransparentHugePages");
    String advice = "";
    if (mode.equals("never")) {
      advice = "as root: echo madvise > " + HUGE_PAGES;
    } else if (mode.equals("madvise") && !asked) {
      advice = "start java with -XX:+UseTransparentHugePages, as ./kolors does";
    }
    return new Finding("huge pages", mode, advice);
  }

  private static Finding cache() {
    Optional<Path> folder = CacheFolder.find();
    if (folder.isEmpty()) {
      return new Finding(
          "cache", "none", "set XDG_CACHE_HOME: prompts and the mini checkpoint are not kept");
    }
    return new Finding(
        "cache",
        folder.get().toString(),
        Files.isWritable(existing(folder.get()))
            ? ""
            : "it cannot be written to: set XDG_CACHE_HOME to a folder that can");
  }

  /** Where checkpoints are, and those that are pulled come to. */
  private static Finding hubCache() {
    Path folder;
    try {
      folder = HubEnvironment.current().cache().root();
    } catch (IOException | IllegalArgumentException e) {
      return new Finding("hub cache", "unknown", String.valueOf(e.getMessage()));
    }
    Path existing = existing(folder);
    String free;
    try {
      free = gigabytes(Files.getFileStore(existing).getUsableSpace()) + " free";
    } catch (IOException _) {
      free = "how much is free is unknown";
    }
    return new Finding(
        "hub cache",
        folder + ", " + free,
        Files.isWritable(existing)
            ? ""
            : "it cannot be written to: set HF_HUB_CACHE to a folder that can");
  }

  /** The folder, or where it would be made. */
  private static Path existing(Path folder) {
    Path existing = folder.toAbsolutePath();
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    return existing;
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(Files.readString(file));
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }
}
