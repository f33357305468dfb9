package io.github.kolors4j.server;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.service.ImageJob;
import io.github.kolors4j.service.JobEvent;
import io.github.kolors4j.service.JobState;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What clients use of AUTOMATIC1111's API. Its clients send everything that it knows, so what is
 * not known here is ignored.
 */
final class WebUiRoutes {
  /** AUTOMATIC1111's default, where diffusers has another. */
  private static final double DENOISING_STRENGTH = 0.75;

  private static final int PREVIEWS = 10;

  private final String model;
  private final KolorsPipeline pipeline;
  private final ImageCalls calls;
  private final Submissions submissions;
  private final Limits limits;

  /** Those that came through here and have not ended, the oldest first. */
  private final Set<Current> current = new LinkedHashSet<>();

  /** A job, and what it looks like if somebody has asked. */
  private static final class Current {
    private final ImageJob job;
    private boolean watched;
    private volatile @Nullable KolorsImage preview;

    Current(ImageJob job) {
      this.job = job;
    }

    synchronized void watch(int every) {
      if (!watched) {
        watched = true;
        job.listen(
            event -> {
              if (event instanceof JobEvent.Previewed(_, KolorsImage picture)) {
                preview = picture;
              }
            },
            every);
      }
    }
  }

  WebUiRoutes(
      String model,
      KolorsPipeline pipeline,
      ImageCalls calls,
      Submissions submissions,
      Limits limits) {
    this.model = model;
    this.pipeline = pipeline;
    this.calls = calls;
    this.submissions = submissions;
    this.limits = limits;
  }

  List<Route> routes() {
    return List.of(
        Route.of("POST", "/sdapi/v1/txt2img", (exchange, _) -> generate(exchange, false)),
        Route.of("POST", "/sdapi/v1/img2img", (exchange, _) -> generate(exchange, true)),
        Route.of("GET", "/sdapi/v1/progress", (exchange, _) -> progress(exchange)),
        Route.of("POST", "/sdapi/v1/interrupt", (exchange, _) -> interrupt(exchange)),
        Route.of(
            "GET",
            "/sdapi/v1/samplers",
            (exchange, _) -> exchange.json(200, WebUiSamplers.samplers())),
        Route.of(
            "GET",
            "/sdapi/v1/schedulers",
            (exchange, _) -> exchange.json(200, WebUiSamplers.schedules())),
        Route.of("GET", "/sdapi/v1/sd-models", (exchange, _) -> models(exchange)),
        Route.of("GET", "/sdapi/v1/options", (exchange, _) -> exchange.json(200, options())),
        Route.of("POST", "/sdapi/v1/options", (exchange, _) -> setOptions(exchange)));
  }

  private void generate(Exchange exchange, boolean fromImage) throws IOException {
    Fields fields = Fields.ofJson(exchange.body(limits.maxBodyBytes()));
    Set<String> sent = fields.names();
    ImageCall call = read(fields, fromImage, sent);
    Current own = new Current(submissions.submit(exchange, call));
    synchronized (current) {
      current.add(own);
    }
    try {
      if (!Submissions.awaitEnd(exchange, own.job)) {
        own.job.cancel();
        throw new ClientGoneException();
      }
      if (own.job.state() == JobState.FAILED) {
        submissions.requireCompleted(own.job);
      }
      if (own.job.state() == JobState.CANCELLED && submissions.stopping()) {
        throw ApiException.stopping();
      }
      exchange.json(200, answer(call, own.job)); // of an interrupted job what there is
    } finally {
      synchronized (current) {
        current.remove(own);
      }
    }
  }

  private ImageCall read(Fields fields, boolean fromImage, Set<String> sent) {
    ImageRequest.Builder request = ImageRequest.builder(fields.text("prompt").orElse(""));
    fields.text("negative_prompt").ifPresent(request::negativePrompt);
    int width = fields.integer("width").orElseGet(pipeline::defaultSize);
    int height = fields.integer("height").orElseGet(pipeline::defaultSize);
    calls.checkSize(new ImageCalls.Size(width, height));
    request.size(width, height);
    int batches = calls.images(fields.integer("n_iter"));
    int batchSize = calls.images(fields.integer("batch_size"));
    request.numImagesPerPrompt(
        calls.images(OptionalInt.of(Math.multiplyExact(batches, batchSize))));
    request.seeds(fields.seeds("seed"));
    fields.integer("steps").ifPresent(steps -> request.numInferenceSteps(calls.steps(steps)));
    fields.number("cfg_scale").ifPresent(request::guidanceScale);
    Optional<Scheduler> scheduler =
        WebUiSamplers.choose(
                fields.text("sampler_name").or(() -> fields.text("sampler_index")),
                fields.text("scheduler"))
            .map(this::scheduler);
    if (fromImage) {
      Object images = fields.any("init_images").orElse(List.of());
      if (!(images instanceof List<?> list)
          || list.size() != 1
          || !(list.getFirst() instanceof String text)) {
        throw ApiException.field(
            "init_images", "[request] init_images: a list of one picture in Base64 is needed.");
      }
      KolorsImage image = calls.decode("init_images", ImageCalls.base64("init_images", text));
      request.image(image);
      WebUiMask.read(fields, image, calls).ifPresent(request::mask);
      request.strength(fields.number("denoising_strength").orElse(DENOISING_STRENGTH));
    } else if (fields.any("mask").isPresent()) {
      throw ApiException.field(
          "mask", "[request] a mask without a picture: it is for img2img. Leave it out.");
    }
    return ImageCall.of(request.build(), scheduler, ImageFormat.PNG, sent);
  }

  private Scheduler scheduler(WebUiSamplers.Choice choice) {
    String name =
        choice.scheduler().isEmpty() ? pipeline.scheduler().className() : choice.scheduler();
    try {
      return calls.scheduler(name, choice.options());
    } catch (IllegalArgumentException e) {
      throw ApiException.field("sampler_name", String.valueOf(e.getMessage()));
    }
  }

  private Map<String, Object> answer(ImageCall call, ImageJob job) {
    List<FinishedImage> images = job.images();
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put(
        "images",
        images.stream()
            .map(image -> JobJson.base64(JobJson.file(job, image, call.format())))
            .toList());
    answer.put("parameters", parameters(job.request()));
    answer.put("info", JsonWriter.compact(info(call, job, images)));
    return answer;
  }

  private static Map<String, Object> parameters(ImageRequest request) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("prompt", request.prompts().getFirst());
    json.put("negative_prompt", String.join("", request.negativePrompts()));
    json.put("width", request.width().orElseThrow());
    json.put("height", request.height().orElseThrow());
    json.put("steps", steps(request));
    json.put("cfg_scale", request.guidance().scale());
    json.put("batch_size", 1);
    json.put("n_iter", request.numImages());
    return json;
  }

  private static int steps(ImageRequest request) {
    return request.steps() instanceof Steps.Count(int count) ? count : 0;
  }

  private Map<String, Object> info(ImageCall call, ImageJob job, List<FinishedImage> images) {
    ImageRequest request = job.request();
    Map<String, Object> json = parameters(request);
    List<BigInteger> seeds =
        images.stream()
            .flatMapToLong(image -> image.seed().stream())
            .mapToObj(seed -> new BigInteger(Long.toUnsignedString(seed)))
            .toList();
    json.put("seed", seeds.isEmpty() ? -1 : seeds.getFirst());
    json.put("all_seeds", seeds);
    String prompt = request.prompts().getFirst();
    json.put("all_prompts", IntStream.range(0, images.size()).mapToObj(_ -> prompt).toList());
    json.put(
        "sampler_name",
        WebUiSamplers.name(call.scheduler().orElse(pipeline.scheduler()), pipeline.scheduler()));
    json.put("sd_model_name", model);
    json.put("index_of_first_image", 0);
    json.put(
        "infotexts", images.stream().map(job::metadata).map(PictureMetadata::parameters).toList());
    return json;
  }

  /** The one that is being made, or the next one. */
  private Optional<Current> oldest() {
    synchronized (current) {
      return current.stream().filter(each -> !each.job.state().isEnded()).findFirst();
    }
  }

  private void progress(Exchange exchange) throws IOException {
    boolean skip = exchange.query("skip_current_image").orElse("false").equalsIgnoreCase("true");
    Optional<Current> oldest = oldest();
    Optional<Progress> progress = oldest.flatMap(each -> each.job.progress());
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("progress", progress.map(WebUiRoutes::share).orElse(0.0));
    json.put("eta_relative", progress.map(each -> JobJson.seconds(each.timeLeft())).orElse(0.0));
    Map<String, Object> state = new LinkedHashMap<>();
    state.put("skipped", false);
    state.put("interrupted", false);
    state.put("job", oldest.map(each -> each.job.id()).orElse(""));
    state.put("job_count", oldest.map(each -> each.job.request().numImages()).orElse(0));
    state.put("job_timestamp", Instant.now().toString());
    state.put("job_no", progress.map(Progress::image).orElse(0));
    state.put("sampling_step", progress.map(Progress::step).orElse(0));
    state.put("sampling_steps", progress.map(Progress::steps).orElse(0));
    json.put("state", state);
    KolorsImage preview = null;
    if (!skip && oldest.isPresent()) {
      oldest.get().watch(Math.max(1, steps(oldest.get().job.request()) / PREVIEWS));
      preview = oldest.get().preview;
    }
    json.put("current_image", preview == null ? null : JobJson.base64(preview));
    json.put("textinfo", null);
    exchange.json(200, json);
  }

  /** The share of all denoising that is done. */
  private static double share(Progress progress) {
    double ofImage =
        switch (progress.stage()) {
          case Stage.TEXT -> 0;
          case Stage.DENOISE -> (double) progress.step() / progress.steps();
          case Stage.DECODE -> 1;
        };
    return (progress.image() + ofImage) / progress.images();
  }

  private void interrupt(Exchange exchange) throws IOException {
    oldest().ifPresent(each -> each.job.cancel());
    exchange.json(200, Map.of());
  }

  private void models(Exchange exchange) throws IOException {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("title", model);
    json.put("model_name", model);
    json.put("hash", null);
    json.put("sha256", null);
    json.put("filename", model);
    json.put("config", null);
    exchange.json(200, List.of(json));
  }

  private Map<String, Object> options() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("sd_model_checkpoint", model);
    json.put("samples_format", "png");
    json.put("CLIP_stop_at_last_layers", 1);
    return json;
  }

  /** There is one model, and nothing else to set. */
  private void setOptions(Exchange exchange) throws IOException {
    Fields fields = Fields.ofJson(exchange.body(limits.maxBodyBytes()));
    String asked = fields.text("sd_model_checkpoint").orElse(model);
    if (!asked.equals(model)) {
      throw ApiException.field(
          "sd_model_checkpoint", "[server] this server has one model: %s.".formatted(model));
    }
    exchange.json(200, Map.of());
  }
}
