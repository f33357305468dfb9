package io.github.kolors4j.server;

import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.JobEvent;
import io.github.kolors4j.service.JobState;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Jobs: requests that nobody waits for, and that anybody may ask about by their names. */
final class JobRoutes {
  private static final int ACCEPTED = 202;
  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;

  /** Twice what a cancelled job may take. */
  private static final int AFTER_CANCELLING_MILLIS = 1000;

  private final ImageCalls calls;
  private final Submissions submissions;
  private final JobStore store;
  private final Limits limits;

  JobRoutes(ImageCalls calls, Submissions submissions, JobStore store, Limits limits) {
    this.calls = calls;
    this.submissions = submissions;
    this.store = store;
    this.limits = limits;
  }

  List<Route> routes() {
    return List.of(
        Route.of("POST", "/v1/jobs", (exchange, _) -> submit(exchange)),
        Route.of("GET", "/v1/jobs/{id}", (exchange, path) -> state(exchange, kept(path))),
        Route.of("POST", "/v1/jobs/{id}/cancel", (exchange, path) -> cancel(exchange, kept(path))),
        Route.of("GET", "/v1/jobs/{id}/events", (exchange, path) -> events(exchange, kept(path))),
        Route.of(
            "GET",
            "/v1/jobs/{id}/images/{n}",
            (exchange, path) -> image(exchange, kept(path), path.getOrDefault("n", ""))));
  }

  /** Where a picture of a job is. */
  static String address(ImageJob job, int image) {
    return "/v1/jobs/" + job.id() + "/images/" + image;
  }

  private JobStore.Kept kept(Map<String, String> path) {
    return store.get(path.getOrDefault("id", ""));
  }

  private void submit(Exchange exchange) throws IOException {
    ImageCall call = calls.read(Fields.ofJson(exchange.body(limits.maxBodyBytes())), false);
    JobStore.Kept kept = store.add(submissions.submit(exchange, call), call);
    exchange.setHeader("Location", "/v1/jobs/" + kept.job().id());
    exchange.json(ACCEPTED, json(kept));
  }

  private static void state(Exchange exchange, JobStore.Kept kept) throws IOException {
    exchange.json(200, json(kept));
  }

  private static void cancel(Exchange exchange, JobStore.Kept kept) throws IOException {
    JobState state = kept.job().state();
    if (state.isEnded()) {
      throw ApiException.of(
          CONFLICT, "job_ended", "[jobs] the job has ended: it is " + JobJson.name(state) + ".");
    }
    kept.job().cancel();
    awaitEnd(kept.job());
    exchange.json(200, json(kept));
  }

  /**
   * So that the answer says what has become of it; a picture that is being decoded takes a moment.
   */
  private static void awaitEnd(ImageJob job) {
    CompletableFuture<Boolean> ended = job.result().handle((_, _) -> true);
    var _ = ended.completeOnTimeout(false, AFTER_CANCELLING_MILLIS, TimeUnit.MILLISECONDS).join();
  }

  private static Map<String, Object> json(JobStore.Kept kept) {
    ImageJob job = kept.job();
    JobState state = job.state();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", job.id());
    json.put("object", "image.job");
    json.put("status", JobJson.name(state));
    json.put("queue_position", job.queuePosition());
    json.put("created", kept.created().getEpochSecond());
    job.progress().ifPresent(progress -> json.put("progress", JobJson.progress(progress)));
    json.put("images", job.images().stream().map(image -> json(job, image)).toList());
    job.failure().ifPresent(failure -> json.put("error", error(failure)));
    return json;
  }

  private static Map<String, Object> json(ImageJob job, FinishedImage image) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("index", image.index());
    image
        .image()
        .ifPresent(
            picture -> {
              json.put("width", picture.width());
              json.put("height", picture.height());
            });
    json.put("url", address(job, image.index()));
    return JobJson.withSeed(json, image.seed());
  }

  private static Map<String, Object> error(Throwable failure) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("message", sentence(failure));
    json.put("code", failure instanceof GenerationCancelledException ? "cancelled" : "failed");
    return json;
  }

  /** Our own sentences, and nothing of what went wrong inside. */
  private static String sentence(Throwable failure) {
    String message = String.valueOf(failure.getMessage());
    return message.startsWith("[") ? message : "[server] an internal error.";
  }

  /** The events of a job until its end. Who stops listening does not end it. */
  private static void events(Exchange exchange, JobStore.Kept kept) throws IOException {
    ImageJob job = kept.job();
    try (JobEvents events = new JobEvents(exchange, job, kept.call())) {
      while (true) {
        JobEvent event = events.next();
        Map<String, Object> data = new LinkedHashMap<>();
        switch (event) {
          case JobEvent.Queued(int position) -> {
            data.put("queue_position", position);
            events.send("queued", data);
          }
          case JobEvent.Started() -> events.send("generating", data);
          case JobEvent.Advanced(var progress) ->
              events.send("progress", JobJson.progress(progress));
          case JobEvent.Previewed(var progress, var picture) -> {
            data.putAll(JobJson.progress(progress));
            data.put("b64_json", JobJson.base64(picture));
            events.send("preview", data);
          }
          case JobEvent.ImageFinished(FinishedImage image) ->
              events.send("image", json(job, image));
          case JobEvent.Ended(JobState state, Optional<Throwable> failure) -> {
            failure.ifPresent(cause -> data.putAll(error(cause)));
            events.send(JobJson.name(state), data);
            events.end();
            return;
          }
        }
      }
    }
  }

  private static void image(Exchange exchange, JobStore.Kept kept, String number)
      throws IOException {
    ImageJob job = kept.job();
    Optional<FinishedImage> image =
        job.images().stream()
            .filter(each -> Integer.toString(each.index()).equals(number))
            .findFirst();
    if (image.isEmpty()) {
      if (!job.state().isEnded() && isToCome(job, number)) {
        throw ApiException.of(CONFLICT, "image_not_ready", "[jobs] this image is not finished.");
      }
      throw ApiException.of(NOT_FOUND, "image_not_found", "[jobs] there is no such image.");
    }
    exchange.setHeader("Cache-Control", "private, max-age=3600, immutable");
    exchange.bytes(
        200,
        kept.call().format().mediaType(),
        JobJson.file(job, image.get(), kept.call().format()));
  }

  private static boolean isToCome(ImageJob job, String number) {
    return number.matches("\\d{1,4}") && Integer.parseInt(number) < job.request().numImages();
  }
}
