package io.github.kolors4j.server;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * A Chromium of this machine, driven by Playwright. {@code .ci/install-browser} brings what it
 * needs; nothing is downloaded by a test.
 */
record Chromium(Playwright playwright, Browser browser, String axe) implements AutoCloseable {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome");

  /** Starts it, or skips the tests of the caller and says so loudly. */
  static Chromium startOrSkip() {
    // target/browser of the root: tests run in their module's folder.
    Path folder = Path.of("..", "target", "browser").toAbsolutePath().normalize();
    Optional<Path> executable = find();
    if (executable.isEmpty() || !Files.isReadable(folder.resolve("packages"))) {
      String what =
          executable.isEmpty() ? "there is no chromium on the PATH" : folder + " is not there";
      System.err.println("\n*** BROWSER TESTS SKIPPED: " + what + ". Run .ci/install-browser.\n");
      Assumptions.abort(what);
    }
    System.setProperty("playwright.cli.dir", folder.toString());
    Playwright playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    try {
      Browser browser =
          playwright
              .chromium()
              .launch(
                  new BrowserType.LaunchOptions()
                      .setExecutablePath(executable.get())
                      .setArgs(List.of("--no-sandbox")));
      return new Chromium(playwright, browser, Files.readString(folder.resolve("axe.min.js")));
    } catch (IOException e) {
      playwright.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      playwright.close();
      throw e;
    }
  }

  private static Optional<Path> find() {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.of(path.split(File.pathSeparator))
        .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @Override
  public void close() {
    browser.close();
    playwright.close();
  }
}
