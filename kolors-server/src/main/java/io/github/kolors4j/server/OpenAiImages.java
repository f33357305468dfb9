package io.github.kolors4j.server;

import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.JobEvent;
import io.github.kolors4j.service.JobState;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import java.io.IOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** OpenAI's Images API. */
final class OpenAiImages {
  private static final String GENERATION = "image_generation";
  private static final String EDIT = "image_edit";

  /** What a clear picture is called among OpenAI's qualities: there is one here. */
  private static final String QUALITY = "high";

  private final ImageCalls calls;
  private final Submissions submissions;
  private final SharedJobs shared;
  private final JobStore store;
  private final Limits limits;
  private final ChatGlmTokenizer tokenizer;

  OpenAiImages(
      ImageCalls calls,
      Submissions submissions,
      SharedJobs shared,
      JobStore store,
      Limits limits,
      ChatGlmTokenizer tokenizer) {
    this.calls = calls;
    this.submissions = submissions;
    this.shared = shared;
    this.store = store;
    this.limits = limits;
    this.tokenizer = tokenizer;
  }

  List<Route> routes() {
    return List.of(
        Route.of("POST", "/v1/images/generations", (exchange, _) -> answer(exchange, false)),
        Route.of("POST", "/v1/images/edits", (exchange, _) -> answer(exchange, true)));
  }

  private void answer(Exchange exchange, boolean edit) throws IOException {
    byte[] body = exchange.body(limits.maxBodyBytes());
    String type = exchange.header("Content-Type").orElse("");
    boolean form = type.toLowerCase(Locale.ROOT).startsWith("multipart/form-data");
    ImageCall call = calls.read(form ? Fields.ofForm(type, body) : Fields.ofJson(body), edit);
    try (SharedJobs.Lease lease = shared.enter(exchange, call)) {
      if (call.stream()) {
        stream(exchange, call, lease.job(), edit ? EDIT : GENERATION);
      } else {
        whole(exchange, call, lease.job());
      }
      lease.answered();
    }
  }

  /** One answer when everything is made. */
  private void whole(Exchange exchange, ImageCall call, ImageJob job) throws IOException {
    if (!Submissions.awaitEnd(exchange, job)) {
      throw new ClientGoneException();
    }
    submissions.requireCompleted(job);
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("created", Instant.now().getEpochSecond());
    if (call.asUrl()) {
      store.add(job, call);
    }
    answer.put(
        "data", job.images().stream().map(image -> image(exchange, call, job, image)).toList());
    answer.put("background", "opaque");
    answer.put("output_format", call.formatName());
    answer.put("quality", QUALITY);
    answer.put("size", size(job.images().getFirst()));
    answer.put("usage", usage(job.request()));
    exchange.json(200, answer);
  }

  private static Map<String, Object> image(
      Exchange exchange, ImageCall call, ImageJob job, FinishedImage image) {
    Map<String, Object> json = new LinkedHashMap<>();
    if (call.asUrl()) {
      json.put("url", exchange.origin() + JobRoutes.address(job, image.index()));
    } else {
      json.put("b64_json", JobJson.base64(JobJson.file(job, image, call.format())));
    }
    return JobJson.withSeed(json, image.seed());
  }

  /** Events: pictures on the way, and each that is made. */
  private void stream(Exchange exchange, ImageCall call, ImageJob job, String kind)
      throws IOException {
    try (JobEvents events = new JobEvents(exchange, job, call)) {
      int partial = 0;
      while (true) {
        switch (events.next()) {
          case JobEvent.Previewed(_, var picture) -> {
            if (partial == call.partialImages()) {
              continue;
            }
            Map<String, Object> event = event(kind + ".partial_image");
            event.put("b64_json", JobJson.base64(JobJson.file(picture, call.format(), Map.of())));
            event.put("partial_image_index", partial++);
            addLook(event, call, picture.width() + "x" + picture.height());
            events.send(kind + ".partial_image", event);
          }
          case JobEvent.ImageFinished(FinishedImage image) -> {
            Map<String, Object> event = event(kind + ".completed");
            event.put("b64_json", JobJson.base64(JobJson.file(job, image, call.format())));
            JobJson.withSeed(event, image.seed());
            addLook(event, call, size(image));
            event.put("usage", usage(job.request()));
            events.send(kind + ".completed", event);
          }
          case JobEvent.Ended(JobState state, var failure) -> {
            if (state != JobState.COMPLETED) {
              ApiException error =
                  Router.error(exchange, submissions.reason(failure.orElseThrow()));
              Map<String, Object> event = new LinkedHashMap<>();
              event.put("type", "error");
              event.put("error", Router.errorJson(error));
              events.send("error", event);
            }
            events.end();
            return;
          }
          default -> {}
        }
      }
    }
  }

  private static Map<String, Object> event(String type) {
    Map<String, Object> event = new LinkedHashMap<>();
    event.put("type", type);
    event.put("created_at", Instant.now().getEpochSecond());
    return event;
  }

  private static void addLook(Map<String, Object> event, ImageCall call, String size) {
    event.put("size", size);
    event.put("quality", QUALITY);
    event.put("background", "opaque");
    event.put("output_format", call.formatName());
  }

  private static String size(FinishedImage image) {
    return image.image().map(picture -> picture.width() + "x" + picture.height()).orElseThrow();
  }

  /** The prompt's tokens, which nobody is charged for. */
  private Map<String, Object> usage(ImageRequest request) {
    int tokens =
        request.prompts().stream().mapToInt(text -> tokenizer.contentIds(text).length).sum();
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("text_tokens", tokens);
    details.put("image_tokens", 0);
    Map<String, Object> usage = new LinkedHashMap<>();
    usage.put("input_tokens", tokens);
    usage.put("input_tokens_details", details);
    usage.put("output_tokens", 0);
    usage.put("total_tokens", tokens);
    return usage;
  }
}
