package io.github.kolors4j.cli;

import io.github.kolors4j.batch.BatchProgress;
import io.github.kolors4j.hub.PullProgress;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.ProgressListener;
import io.github.kolors4j.request.Stage;
import java.time.Duration;
import java.util.Locale;

/**
 * Shows where a request stands, on standard error: on a screen one line that is overwritten, and
 * into a file or a pipe a plain line now and then.
 */
final class ProgressBar implements ProgressListener, AutoCloseable {
  private static final int WIDTH = 24;
  private static final long QUIET_NANOS = Duration.ofSeconds(10).toNanos();
  private static final long KILO = 1_000;
  private static final long MEGA = 1_000_000;
  private static final long FEW_MEGA = 10;
  private static final long SHORT_NANOS = Duration.ofMillis(100).toNanos();
  private static final String BEGIN_OF_LINE = "\r";
  private static final String ERASE_TO_END = "\u001b[K";

  private final Terminal terminal;
  private long shown = System.nanoTime();
  private boolean open;

  ProgressBar(Terminal terminal) {
    this.terminal = terminal;
  }

  /** A part of the work that has no steps; of no interest in a log. */
  void stage(String text) {
    if (terminal.interactive()) {
      show(text);
    }
  }

  @Override
  public void onProgress(Progress progress) {
    boolean begins = progress.step() == 0;
    boolean ends = progress.step() == progress.steps();
    boolean due = System.nanoTime() - shown > QUIET_NANOS;
    boolean worth = begins || due || (ends && progress.stage() == Stage.DENOISE);
    if (terminal.interactive() || worth) {
      show(line(progress));
    }
  }

  /** So far is a batch. */
  void batch(BatchProgress progress) {
    long now = System.nanoTime();
    boolean over = progress.done() == progress.rows();
    if (!over && now - shown < (terminal.interactive() ? SHORT_NANOS : QUIET_NANOS)) {
      return;
    }
    String line = "%d/%d pictures".formatted(progress.done(), progress.rows());
    if (terminal.interactive() && progress.rows() > 0) {
      line += bar(progress.done(), progress.rows());
    }
    if (progress.failed() > 0) {
      line += ", %d errors".formatted(progress.failed());
    }
    if (progress.picturesPerHour() > 0) {
      line +=
          String.format(
              Locale.ROOT,
              progress.picturesPerHour() < 100
                  ? " %.1f an hour, %s left"
                  : " %.0f an hour, %s left",
              progress.picturesPerHour(),
              clock(progress.timeLeft()));
    }
    show(line + progress.current().map(current -> "; " + line(current)).orElse(""));
  }

  /** So many bytes of a file, or of several, are written. */
  void bytes(long written, long all, long beginNanos) {
    long now = System.nanoTime();
    long pause = terminal.interactive() ? SHORT_NANOS : QUIET_NANOS;
    if (written < all && now - shown < pause) {
      return;
    }
    String line = amount(written, all);
    if (terminal.interactive() && all > 0) {
      line += bar(written, all);
    }
    double seconds = Math.max(1, now - beginNanos) / 1e9;
    line += String.format(Locale.ROOT, " %.0f MB/s", written / 1e6 / seconds);
    if (written > 0 && written < all) {
      double left = (all - written) / (double) written * seconds;
      line += ", " + clock(Duration.ofMillis((long) (left * 1000))) + " left";
    }
    show(line);
  }

  /** In MB, or in kB where all are but a few of them. */
  private static String amount(long done, long all) {
    return all < FEW_MEGA * MEGA
        ? String.format(Locale.ROOT, "%,d of %,d kB", done / KILO, all / KILO)
        : String.format(Locale.ROOT, "%,d of %,d MB", done / MEGA, all / MEGA);
  }

  /** So far is a download, of all of its files. */
  void pulled(PullProgress progress) {
    long now = System.nanoTime();
    if (now - shown < (terminal.interactive() ? SHORT_NANOS : QUIET_NANOS)
        && progress.bytesDone() < progress.bytes()) {
      return;
    }
    String line = amount(progress.bytesDone(), progress.bytes());
    if (terminal.interactive() && progress.bytes() > 0) {
      line += bar(progress.bytesDone(), progress.bytes());
    }
    show(
        line
            + String.format(Locale.ROOT, " %.0f MB/s", progress.bytesPerSecond() / 1e6)
            + progress.timeLeft().map(left -> ", " + clock(left) + " left").orElse(""));
  }

  private static String bar(long done, long all) {
    int full = (int) (WIDTH * done / all);
    return " [" + "#".repeat(full) + ".".repeat(WIDTH - full) + "]";
  }

  @Override
  public void close() {
    end();
  }

  /** Leaves the last line as it is and goes to the next; once is enough. */
  void end() {
    if (open) {
      terminal.err().println();
      open = false;
    }
  }

  private String line(Progress progress) {
    String image =
        progress.images() == 1
            ? ""
            : "image %d/%d ".formatted(progress.image() + 1, progress.images());
    return switch (progress.stage()) {
      case TEXT -> "text %d/%d".formatted(progress.step(), progress.steps());
      case DENOISE -> image + denoising(progress);
      case DECODE -> image + "decode";
    };
  }

  private String denoising(Progress progress) {
    String line = "step %d/%d".formatted(progress.step(), progress.steps());
    if (terminal.interactive()) {
      line += bar(progress.step(), progress.steps());
    }
    if (progress.perStep().isZero()) {
      return line;
    }
    double seconds = progress.perStep().toNanos() / 1e9;
    return line
        + String.format(Locale.ROOT, " %.3g s/step, %s left", seconds, clock(progress.timeLeft()));
  }

  /** {@code 0:07}, {@code 12:30} or {@code 1:02:03}. */
  static String clock(Duration duration) {
    long seconds = duration.plusMillis(999).toSeconds();
    long hours = seconds / 3600;
    return hours == 0
        ? "%d:%02d".formatted(seconds / 60, seconds % 60)
        : "%d:%02d:%02d".formatted(hours, seconds / 60 % 60, seconds % 60);
  }

  private void show(String text) {
    shown = System.nanoTime();
    if (terminal.interactive()) {
      terminal.err().print(BEGIN_OF_LINE + text + ERASE_TO_END);
      terminal.err().flush();
      open = true;
    } else {
      terminal.err().println(text);
    }
  }
}
