package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many requests at once, and many pipelines one after another. Every build takes some hundred
 * pictures; {@code -Plong} takes ten thousand, and looks at the throughput too, for which the
 * machine must be idle.
 */
@Timeout(value = 6, unit = TimeUnit.HOURS)
class LoadTest {
  private static final int PICTURES = Integer.getInteger("kolors4j.load.pictures", 96);
  private static final int OPENINGS = Integer.getInteger("kolors4j.load.openings", 12);
  private static final boolean LONG = PICTURES >= 10_000;

  private static final int CALLERS = 32;

  /** Of one caller and of all, in turn: neither meets a machine or a compiler that is ahead. */
  private static final int ROUNDS = LONG ? 10 : 1;

  /** Different requests, which share the buffers of the pipeline. */
  private static final int KINDS = 8;

  /** Pictures of one caller in a round, as many of each kind: they do not take the same time. */
  private static final int ALONE = PICTURES / ROUNDS / 4 / KINDS * KINDS;

  /**
   * What the heap may grow by: the buffers that the pipeline keeps. Each picture leaking 300 kB
   * would be found in the short run too.
   */
  private static final long GROWTH = LONG ? 8 << 20 : 24 << 20;

  private static ImageRequest request(int kind) {
    return ImageRequest.builder("picture " + kind)
        .size(16 + 8 * (kind % 3), 24)
        .numInferenceSteps(1 + kind % 2)
        .maxSequenceLength(8)
        .guidanceScale(kind % 4 == 0 ? 1 : 5)
        .seed(kind)
        .build();
  }

  /**
   * What the process may grow by: pages of the heap that were not touched before, and compiled
   * code. In the long run, 26 kB a picture and 256 kB a pipeline.
   */
  private static final long RESIDENT_GROWTH = 256 << 20;

  /** What must not grow. */
  private record Footprint(long heap, long resident, int threads, long handles, long mappings) {
    static Footprint now() throws IOException, InterruptedException {
      long heap = Long.MAX_VALUE;
      for (int i = 0; i < 2; i++) { // the second collects what the first has made unreachable
        System.gc();
        Thread.sleep(50);
        Runtime runtime = Runtime.getRuntime();
        heap = Math.min(heap, runtime.totalMemory() - runtime.freeMemory());
      }
      int threads = Thread.getAllStackTraces().size();
      return new Footprint(heap, settledBytes(), threads, openHandles(), mappedFiles());
    }

    /** The collector gives memory back in parts, for a while after it has collected. */
    private static long settledBytes() throws IOException, InterruptedException {
      long least = residentBytes();
      for (int unchanged = 0; unchanged < 3; unchanged++) {
        Thread.sleep(LONG ? 500 : 20);
        long now = residentBytes();
        if (now < least - (1 << 20)) {
          least = now;
          unchanged = -1;
        }
      }
      return least;
    }

    /** Bytes of memory that the process has; the weights' pages are among them. */
    private static long residentBytes() throws IOException {
      Path file = Path.of("/proc/self/status");
      if (!Files.isReadable(file)) {
        return 0;
      }
      try (Stream<String> lines = Files.lines(file)) {
        return lines
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
            .sum();
      }
    }

    private static long openHandles() throws IOException {
      Path folder = Path.of("/proc/self/fd");
      if (!Files.isDirectory(folder)) {
        return 0;
      }
      try (Stream<Path> open = Files.list(folder)) {
        return open.count();
      }
    }

    private static long mappedFiles() throws IOException {
      Path file = Path.of("/proc/self/maps");
      if (!Files.isReadable(file)) {
        return 0;
      }
      try (Stream<String> lines = Files.lines(file)) {
        return lines.filter(line -> line.contains(".safetensors")).count();
      }
    }

    void assertNotBelow(Footprint later) {
      String both = this + " grew to " + later;
      assertTrue(later.heap <= heap + GROWTH, both);
      assertTrue(later.resident <= resident + RESIDENT_GROWTH, both);
      assertTrue(later.threads <= threads + 2, both);
      assertTrue(later.handles <= handles + 2, both);
      assertEquals(mappings, later.mappings, both);
    }
  }

  /**
   * Pictures by some callers at once.
   *
   * @return how many a second
   */
  private static double load(
      KolorsPipeline pipeline,
      List<KolorsImage> expected,
      int callers,
      int pictures,
      boolean virtual)
      throws Exception {
    AtomicInteger next = new AtomicInteger();
    AtomicIntegerArray made = new AtomicIntegerArray(callers);
    long begin = System.nanoTime();
    try (ExecutorService executor =
        virtual
            ? Executors.newVirtualThreadPerTaskExecutor()
            : Executors.newFixedThreadPool(callers)) {
      List<Future<?>> futures = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        int own = caller;
        futures.add(
            executor.submit(
                () -> {
                  for (int i = next.getAndIncrement(); i < pictures; i = next.getAndIncrement()) {
                    int kind = i % KINDS;
                    assertEquals(
                        expected.get(kind), pipeline.generate(request(kind)).image(), "same bytes");
                    made.incrementAndGet(own);
                  }
                }));
      }
      for (Future<?> future : futures) {
        future.get();
      }
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    for (int caller = 0; caller < callers; caller++) {
      int share = pictures / callers;
      assertTrue(
          made.get(caller) >= (share + 1) / 4,
          "caller %d had %d of %d pictures".formatted(caller, made.get(caller), pictures));
    }
    return pictures / seconds;
  }

  /** When code is compiled, and the pipeline has its buffers. */
  private static Footprint settled(
      KolorsPipeline pipeline, List<KolorsImage> expected, boolean virtual) throws Exception {
    Footprint before = Footprint.now();
    for (int round = 0; round < (LONG ? 8 : 1); round++) {
      load(pipeline, expected, CALLERS, LONG ? 2 * CALLERS : CALLERS, virtual);
      Footprint now = Footprint.now();
      if (now.heap < before.heap + (1 << 20)) {
        return now;
      }
      before = now;
    }
    return before; // what grows for ever is found then
  }

  @Test
  void manyCallersGetTheBytesThatOneGetsInTurnAndNothingGrows() throws Exception {
    try (KolorsPipeline pipeline =
        KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(2).open()) {
      List<KolorsImage> expected = new ArrayList<>();
      for (int kind = 0; kind < KINDS; kind++) {
        expected.add(pipeline.generate(request(kind)).image());
      }
      List<String> slower = new ArrayList<>(); // told at the end, so that both kinds are looked at
      for (boolean virtual : List.of(false, true)) {
        compare(pipeline, expected, virtual).ifPresent(slower::add);
      }
      assertEquals(List.of(), slower);
    }
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private static String rates(List<Double> values) {
    return values.isEmpty()
        ? "not asked"
        : String.format(
            Locale.ROOT,
            "%.1f (%.1f to %.1f)",
            median(values),
            Collections.min(values),
            Collections.max(values));
  }

  /**
   * One caller and many, on platform or virtual threads.
   *
   * @return the rates, if many got less done than one
   */
  private static Optional<String> compare(
      KolorsPipeline pipeline, List<KolorsImage> expected, boolean virtual) throws Exception {
    Footprint early = settled(pipeline, expected, virtual);
    List<Double> alone = new ArrayList<>();
    List<Double> together = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      if (LONG && round % 2 == 0) {
        alone.add(load(pipeline, expected, 1, ALONE, virtual));
      }
      together.add(load(pipeline, expected, CALLERS, PICTURES / ROUNDS, virtual));
      if (LONG && round % 2 == 1) {
        alone.add(load(pipeline, expected, 1, ALONE, virtual));
      }
    }
    Footprint late = Footprint.now();
    String rates =
        "a second by %s threads: by %s of them %s, by one %s"
            .formatted(virtual ? "virtual" : "platform", CALLERS, rates(together), rates(alone));
    System.out.printf("[load] %d pictures, %s, %s%n", PICTURES, rates, late);
    early.assertNotBelow(late);
    boolean slower = LONG && !(median(together) >= median(alone));
    return slower ? Optional.of(rates) : Optional.empty();
  }

  @Test
  void aPipelineThatIsOpenedAndClosedManyTimesLeavesNothing() throws Exception {
    KolorsImage expected = null;
    Footprint early = null;
    for (int i = 0; i < OPENINGS; i++) {
      try (KolorsPipeline pipeline =
          KolorsPipeline.builder(PipelineFixture.CHECKPOINT).threads(3).open()) {
        KolorsImage image = pipeline.generate(request(1)).image();
        expected = expected == null ? image : expected;
        assertEquals(expected, image);
      }
      if (i == OPENINGS / 4) {
        early = Footprint.now();
      }
    }
    Footprint late = Footprint.now();
    System.out.printf("[load] opened and closed %d times, %s%n", OPENINGS, late);
    early.assertNotBelow(late);
    assertEquals(0, late.mappings);
  }
}
