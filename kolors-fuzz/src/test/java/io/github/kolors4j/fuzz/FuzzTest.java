package io.github.kolors4j.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Damaged files for every reader. An input is made of the seed and its number alone, so that any
 * one can be made again: {@code -Dfuzz.seed=S -Dfuzz.input=N}, which a failure names, beside the
 * file that it keeps.
 */
class FuzzTest {
  private static final int INPUTS = Integer.getInteger("fuzz.inputs", 500);
  private static final long ONLY = Long.getLong("fuzz.input", -1);
  private static final long SEED = seed();

  /** A reader that takes longer hangs. */
  private static final long MOST_SECONDS = 60;

  /** Enough to tell whether damage goes deep. */
  private static final int MANY = 500;

  private static long seed() {
    String seed = System.getProperty("fuzz.seed", "20261128");
    return seed.equals("random") ? System.nanoTime() : Long.parseLong(seed);
  }

  static List<FuzzTarget> targets() {
    return FuzzTargets.ALL;
  }

  /** All but tables, of which a beginning is a shorter table. */
  static List<FuzzTarget> targetsWithAnEnd() {
    return FuzzTargets.ALL.stream()
        .filter(target -> !target.name().startsWith(FuzzTargets.TABLE))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("targetsWithAnEnd")
  void aFileThatIsCutAtAnyByteIsRefusedOrHasAllThatTheWholeHas(FuzzTarget target)
      throws IOException {
    for (int i = 0; i < target.seeds().size(); i++) {
      byte[] whole = target.seeds().get(i);
      if (whole.length > 5_000 || (whole.length > 1_500 && i > 0)) {
        continue; // there are shorter ones
      }
      Object value = checked(target, whole, "whole").value();
      if (value == null) {
        continue; // of a kind that is refused
      }
      for (int length = 0; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        FuzzTarget.Outcome outcome = checked(target, cut, "cut to " + length + " bytes");
        if (outcome.wasRead()) {
          assertEquals(value, outcome.value(), target + " cut to " + length + " bytes");
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("targets")
  void aDamagedFileIsReadOrRefusedInOneSentence(FuzzTarget target) throws Exception {
    Run run = new Run(target);
    FutureTask<Run> task = new FutureTask<>(run, run);
    Thread thread = Thread.ofPlatform().daemon().name("fuzz").start(task);
    while (true) {
      long before = run.input;
      try {
        System.out.println(task.get(MOST_SECONDS, TimeUnit.SECONDS));
        break;
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause().getMessage(), e.getCause());
      } catch (TimeoutException e) {
        if (run.input == before) {
          AssertionError hangs = new AssertionError(failed(target, run.file, run.name()), e);
          hangs.setStackTrace(thread.getStackTrace());
          throw hangs;
        }
      }
    }
    if (ONLY < 0 && INPUTS >= MANY) {
      assertTrue(
          run.read > INPUTS / 200 && run.read < INPUTS,
          run + ": some damage is harmless, and most is not");
    }
  }

  /** All inputs of a target. */
  private static final class Run implements Runnable {
    private final FuzzTarget target;
    private volatile long input;
    private volatile byte[] file = {};
    private int read;
    private long slowest;
    private long largest;

    Run(FuzzTarget target) {
      this.target = target;
    }

    @Override
    public void run() {
      long end = ONLY < 0 ? INPUTS : ONLY + 1;
      for (long i = Math.max(ONLY, 0); i < end; i++) {
        input = i;
        file =
            target
                .mutator()
                .mutate(new SplittableRandom(SEED + i * 0x9E3779B97F4A7C15L), target.seeds());
        FuzzTarget.Outcome outcome = checked(target, file, name());
        read += outcome.wasRead() ? 1 : 0;
        slowest = Math.max(slowest, outcome.nanoseconds());
        largest = Math.max(largest, outcome.bytes());
      }
    }

    String name() {
      return "-Dfuzz.seed=" + SEED + " -Dfuzz.input=" + input;
    }

    @Override
    public String toString() {
      return "%-22s seed %d: %,d inputs, %,d read; slowest %,d ms, most allocated %,d kB"
          .formatted(target, SEED, input + 1, read, slowest / 1_000_000, largest / 1_000);
    }
  }

  private static FuzzTarget.Outcome checked(FuzzTarget target, byte[] file, String name) {
    try {
      return target.check(file);
    } catch (Throwable e) {
      throw new AssertionError(failed(target, file, name) + ": " + e, e);
    }
  }

  private static String failed(FuzzTarget target, byte[] file, String name) {
    try {
      Path kept = Files.createTempFile(Path.of("target"), "failed-", ".bin");
      Files.write(kept, file);
      return target + " " + name + ", kept as " + kept;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
