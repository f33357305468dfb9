package io.github.kolors4j.server;

import io.github.kolors4j.request.Stage;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.ImageService;
import io.github.kolors4j.service.JobEvent;
import io.github.kolors4j.service.JobState;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** What the server has done and is doing, in Prometheus's form. */
final class Metrics implements AutoCloseable {
  /** What the newest job counts in the mean. */
  private static final double NEWEST = 0.3;

  private static final long LONGEST_WAIT = 3600;
  private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "OPTIONS");

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Timer waited;
  private final Counter images;
  private final Counter refused;
  private double meanSeconds;

  Metrics(ImageService service) {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    Gauge.builder("kolors.queue.waiting", service, ImageService::waiting)
        .description("jobs that wait")
        .register(registry);
    Gauge.builder("kolors.queue.running", service, ImageService::running)
        .description("jobs that are being made")
        .register(registry);
    Gauge.builder("kolors.queue.capacity", service, ImageService::queueCapacity)
        .description("jobs that may wait")
        .register(registry);
    waited =
        Timer.builder("kolors.queue.wait")
            .description("time in the queue of jobs that had to wait")
            .register(registry);
    images = Counter.builder("kolors.images").description("finished images").register(registry);
    refused =
        Counter.builder("kolors.refused")
            .description("requests that the full queue refused")
            .register(registry);
  }

  /** The media type of {@link #text}. */
  static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

  String text() {
    return registry.scrape();
  }

  /** An answer that was given. */
  void answered(String method, String route, int status, long nanos) {
    Timer.builder("kolors.http.requests")
        .description("time to the end of the answer")
        .tags("method", known(method), "route", route, "status", Integer.toString(status))
        .register(registry)
        .record(Duration.ofNanos(nanos));
  }

  /** A method that nobody has heard of has no line of its own: clients could make any number. */
  private static String known(String method) {
    return METHODS.contains(method) ? method : "other";
  }

  void refused() {
    refused.increment();
  }

  /** Counts a job, when it ends. */
  void watch(ImageJob job) {
    long begin = System.nanoTime();
    AtomicLong started = new AtomicLong(begin);
    AtomicBoolean queued = new AtomicBoolean();
    job.listen(
        event -> {
          long now = System.nanoTime();
          switch (event) {
            case JobEvent.Queued _ -> queued.set(true);
            case JobEvent.Started _ -> {
              started.set(now);
              if (queued.get()) {
                waited.record(Duration.ofNanos(now - begin));
              }
            }
            case JobEvent.ImageFinished _ -> images.increment();
            case JobEvent.Ended(JobState state, _) -> {
              ended(state, now - begin);
              if (state == JobState.COMPLETED) {
                made(now - started.get());
              }
            }
            default -> {}
          }
        });
    var _ = job.result().thenAccept(result -> timed(result.timings()));
  }

  /** What Flight Recorder is told of the request, too. */
  private void timed(Timings timings) {
    stage(Stage.TEXT, timings.text());
    stage(Stage.DENOISE, timings.denoise());
    stage(Stage.DECODE, timings.decode());
  }

  private void stage(Stage stage, Duration time) {
    Timer.builder("kolors.stage")
        .description("time of a job in its texts, its steps and its decoding")
        .tags("stage", stage.name().toLowerCase(Locale.ROOT))
        .register(registry)
        .record(time);
  }

  private void ended(JobState state, long nanos) {
    Duration time = Duration.ofNanos(nanos);
    Timer.builder("kolors.jobs")
        .description("time from the request to the end of its job, waiting included")
        .tags("state", JobJson.name(state))
        .register(registry)
        .record(time);
  }

  /** A job was made in this time, without waiting. */
  private synchronized void made(long nanos) {
    double seconds = nanos / 1e9;
    meanSeconds = meanSeconds == 0 ? seconds : meanSeconds + NEWEST * (seconds - meanSeconds);
  }

  /** When there will be a place in the queue, as far as one can know. */
  synchronized long secondsOfAJob() {
    return Math.clamp((long) Math.ceil(meanSeconds), 1, LONGEST_WAIT);
  }

  @Override
  public void close() {
    registry.close();
  }
}
