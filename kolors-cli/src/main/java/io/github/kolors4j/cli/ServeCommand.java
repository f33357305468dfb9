package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.server.KolorsServer;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The server, until it is interrupted. */
@Command(
    name = "serve",
    description =
        "Serves pictures over HTTP: OpenAI's Images API, what clients use of AUTOMATIC1111's, jobs"
            + " with a queue, and a page for people. Prints its address, and runs until Ctrl-C.",
    sortOptions = false)
final class ServeCommand implements Callable<Integer> {
  private static final String LOG_LEVEL = "org.slf4j.simpleLogger.log.";
  private static final Duration LAST_REQUESTS = Duration.ofSeconds(5);

  private final Terminal terminal;
  private final Interruption interruption;

  @Mixin private CommonOptions.WeightsOption model;
  @Mixin private SingleFileOptions singleFiles;

  @Option(
      names = "--host",
      paramLabel = "HOST",
      defaultValue = "127.0.0.1",
      description =
          "Where to listen; any but this machine's own needs --key-file. Default:"
              + " ${DEFAULT-VALUE}.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8080",
      description = "0 is any that is free. Default: ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description =
          "A file with the key that clients must send, as Authorization: Bearer KEY. Compulsory"
              + " where others can reach the server.")
  private Path keyFile;

  @Option(
      names = "--allow-host",
      paramLabel = "NAME",
      description =
          "One more name that the server may be called by, as behind a proxy. Repeatable.")
  private List<String> allowedHosts = new ArrayList<>();

  @Option(
      names = "--queue",
      paramLabel = "N",
      defaultValue = "16",
      description =
          "How many requests may wait; the next one is answered with 429. Default:"
              + " ${DEFAULT-VALUE}.")
  private int queue;

  @Option(
      names = "--log-prompts",
      description = "Write prompts into the log, which otherwise has nothing of what is asked for.")
  private boolean logPrompts;

  @Mixin private PromptCacheOptions promptCache;
  @Mixin private CommonOptions.PrecisionOption precision;
  @Mixin private CommonOptions.ThreadsOption threads;
  @Mixin private CommonOptions common;

  ServeCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    // A server is asked who was there; all else stays at the level that --verbose chooses.
    System.setProperty(LOG_LEVEL + "io.github.kolors4j.server", "info");
    final int threadCount = threads.number();
    final Precision wantedPrecision = precision.value();
    final Optional<String> key = key();
    UsageException.check(
        () -> {
          KolorsServer.requireKey(host, key);
          return key;
        });
    KolorsPipeline pipeline =
        promptCache
            .apply(
                singleFiles.apply(
                    model.builder(terminal, interruption, threadCount),
                    repo -> model.repository(terminal, interruption, repo)))
            .precision(wantedPrecision)
            .open();
    try (pipeline) {
      KolorsServer.Builder builder = UsageException.check(() -> options(pipeline, key));
      try (KolorsServer server = builder.start()) {
        if (pipeline.precision() != Precision.F32) {
          terminal.err().println("computing in " + pipeline.precision());
        }
        terminal.out().println(server.uri());
        terminal.out().flush();
        awaitEnd(server, pipeline);
      }
    }
    return KolorsCommand.OK;
  }

  private KolorsServer.Builder options(KolorsPipeline pipeline, Optional<String> key) {
    KolorsServer.Builder builder =
        KolorsServer.builder(pipeline).host(host).port(port).queueCapacity(queue).warmUp();
    key.ifPresent(builder::key);
    allowedHosts.forEach(builder::allowHost);
    if (logPrompts) {
      builder.logPrompts();
    }
    return builder;
  }

  private Optional<String> key() throws IOException {
    if (keyFile == null) {
      return Optional.empty();
    }
    String key = Files.readString(keyFile).strip();
    if (key.isEmpty()) {
      throw new UsageException(
          "[server] %s is empty: write the key into it, as of openssl rand -hex 32."
              .formatted(keyFile));
    }
    return Optional.of(key);
  }

  /** Until the process is told to end, which is no failure: what is being made may still end. */
  private void awaitEnd(KolorsServer server, KolorsPipeline pipeline) {
    interruption.finish();
    Thread hook =
        new Thread(
            () -> {
              server.close();
              pipeline.closeWithin(LAST_REQUESTS);
            });
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException _) {
      Runtime.getRuntime().removeShutdownHook(hook);
    }
  }
}
