package io.github.kolors4j.cli;

import io.github.kolors4j.hub.PullListener;
import io.github.kolors4j.hub.PullPlan;
import io.github.kolors4j.hub.PullProgress;
import java.util.Locale;

/** Shows a pull on standard error: the licence, then one line for all files. */
final class PullReport implements PullListener, AutoCloseable {
  private final Terminal terminal;
  private final boolean quiet;
  private final ProgressBar bar;
  private long bytesFetched;

  /** With {@code quiet} the licence alone. */
  PullReport(Terminal terminal, boolean quiet) {
    this.terminal = terminal;
    this.quiet = quiet;
    this.bar = new ProgressBar(terminal);
  }

  @Override
  public void onBegin(PullPlan plan, long bytesToFetch) {
    terminal
        .err()
        .printf(
            Locale.ROOT,
            "%s at %s: %.2f GB to fetch of %.2f GB in %d files; licence: %s%n",
            plan.listing().revision().repo(),
            plan.listing().commit().substring(0, 12),
            bytesToFetch / 1e9,
            plan.bytes() / 1e9,
            plan.files().size(),
            plan.listing().licence());
  }

  @Override
  public void onProgress(PullProgress progress) {
    bytesFetched = progress.bytesFetched();
    if (!quiet) {
      bar.pulled(progress);
    }
  }

  long bytesFetched() {
    return bytesFetched;
  }

  /** Leaves the line; once is enough. */
  void end() {
    bar.end();
  }

  @Override
  public void close() {
    end();
  }
}
