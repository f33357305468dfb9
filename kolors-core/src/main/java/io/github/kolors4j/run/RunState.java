package io.github.kolors4j.run;

import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.events.RequestEvent;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.EncodedPrompt;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.NotFiniteException;
import io.github.kolors4j.request.Progress;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.request.Timings;
import io.github.kolors4j.request.TruncatedPrompt;
import io.github.kolors4j.request.UnfinishedRequest;
import io.github.kolors4j.tensor.FloatArray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What changes while a request runs: its clock, its progress, and what is finished. */
final class RunState {
  private final ResolvedRequest request;
  private final RunControl control;
  private final Cancellation cancellation;
  private final int images;
  private final int steps;
  private final List<TruncatedPrompt> truncatedPrompts = new ArrayList<>();
  private final List<KolorsImage> pictures = new ArrayList<>();
  private final List<FloatArray> latents = new ArrayList<>();

  /** Made while the heap has room for them. */
  private final UnfinishedRequest unfinished = new UnfinishedRequest(this::result);

  private final OutOfMemoryError outOfMemory;

  private final long begin = System.nanoTime();
  private long end;
  private long stageBegin;
  private long textNanos;
  private long denoiseNanos;
  private long decodeNanos;

  /** The denoising steps alone, without what comes before and between them. */
  private final StepRate rate = new StepRate();

  private int stepsDone;
  private int image;

  /**
   * A run that begins now.
   *
   * @param request with everything filled in
   * @param control who watches
   * @param cancellation who may want it to end
   * @param steps denoising steps of each image
   */
  RunState(ResolvedRequest request, RunControl control, Cancellation cancellation, int steps) {
    this.request = request;
    this.control = control;
    this.cancellation = cancellation;
    this.images = request.numImages();
    this.steps = steps;
    this.outOfMemory =
        new OutOfMemoryError(
            String.format(
                Locale.ROOT,
                "[memory] %dx%d pixels did not fit into the Java heap of %,d MB: use a smaller"
                    + " width or height, VAE tiling, or fewer requests at once, or start Java with"
                    + " a larger -Xmx.",
                request.width(),
                request.height(),
                Runtime.getRuntime().maxMemory() / 1_000_000));
    outOfMemory.addSuppressed(unfinished);
  }

  /** Ends the request if somebody wants that. */
  void checkCancelled() {
    String reason = cancellation.reason();
    if (reason != null) {
      throw cancelled(reason);
    }
  }

  void beginText(int texts) {
    stageBegin = System.nanoTime();
    report(Stage.TEXT, 0, texts, Float.NaN, 0);
  }

  void endTexts(int encoded, int texts) {
    textNanos = System.nanoTime() - stageBegin;
    report(Stage.TEXT, encoded, texts, Float.NaN, textNanos / encoded);
  }

  void truncated(String prompt, String lost) {
    truncatedPrompts.add(new TruncatedPrompt(prompt, lost));
  }

  void beginDenoise(int index) {
    image = index;
    stageBegin = System.nanoTime();
    report(Stage.DENOISE, 0, steps, Float.NaN, rate.nanosPerStep());
  }

  /** A step that began at {@code stepBegin} has ended. */
  Progress endStep(float timestep, long stepBegin) {
    rate.add(System.nanoTime() - stepBegin);
    stepsDone++;
    return report(Stage.DENOISE, stepsDone - image * steps, steps, timestep, rate.nanosPerStep());
  }

  /** Whether somebody looks at the steps. */
  boolean isWatched() {
    return control.onStepEnd().isPresent();
  }

  /** Shows the step to whoever wants to see it, who may end the request. */
  void callback(CompletedStep step) {
    if (control.onStepEnd().isEmpty()) {
      return;
    }
    try {
      control.onStepEnd().get().onStepEnd(step);
    } finally {
      step.end();
    }
    if (step.cancelled() && !request.likeDiffusers()) {
      throw cancelled("by its callback");
    }
  }

  /** Which image is being made, from 0. */
  int image() {
    return image;
  }

  void endDenoise() {
    denoiseNanos += System.nanoTime() - stageBegin;
  }

  void beginDecode() {
    stageBegin = System.nanoTime();
    report(Stage.DECODE, 0, 1, Float.NaN, nanosPerDecode());
  }

  void finished(KolorsImage picture) {
    decodeNanos += System.nanoTime() - stageBegin;
    pictures.add(picture);
    deliver(Optional.of(picture), Optional.empty());
    report(Stage.DECODE, 1, 1, Float.NaN, nanosPerDecode());
  }

  /** An image that ends as latents {@code [1, c, h, w]}. */
  void finished(FloatArray imageLatents) {
    latents.add(imageLatents);
    deliver(Optional.empty(), Optional.of(imageLatents));
  }

  private void deliver(Optional<KolorsImage> picture, Optional<FloatArray> imageLatents) {
    if (control.onImage().isPresent()) {
      List<Long> seeds = request.request().seeds();
      OptionalLong seed =
          seeds.isEmpty() ? OptionalLong.empty() : OptionalLong.of(seeds.get(image));
      control.onImage().get().onImage(new FinishedImage(image, seed, picture, imageLatents));
    }
  }

  /**
   * Tells Flight Recorder, where it listens, what became of the request. Makes no object where it
   * does not, as the heap may be full.
   *
   * @param end what has ended it before its last picture
   */
  void tell(RequestEvent event, @Nullable Throwable end) {
    if (event.shouldCommit()) {
      event.images = images;
      event.width = request.width();
      event.height = request.height();
      event.steps = steps;
      event.text = textNanos;
      event.denoise = denoiseNanos;
      event.decode = decodeNanos;
      event.outcome = outcome(end);
      event.commit();
    }
  }

  private static String outcome(@Nullable Throwable end) {
    if (end == null) {
      return "done";
    }
    Class<?> type = Generation.isStop(end) ? GenerationCancelledException.class : end.getClass();
    return type.getSimpleName();
  }

  /**
   * What a full heap is reported with: never the JVM's own error, which many threads may share.
   *
   * @param cause with the place
   */
  OutOfMemoryError outOfMemory(OutOfMemoryError cause) {
    outOfMemory.initCause(cause);
    return outOfMemory;
  }

  /**
   * Ends the request where a step gave a value that is no finite number: nothing but a black
   * picture can become of it.
   *
   * @param what gave it, as the subject of a sentence
   * @param values what it gave
   * @param count how many values that are
   * @param stage what is being done
   * @param step which step of the stage
   */
  void requireFinite(String what, float[] values, int count, Stage stage, int step) {
    int first = request.likeDiffusers() ? -1 : Finite.firstOther(values, count);
    if (first >= 0) {
      throw new NotFiniteException(
          ("[request] %s gave %s%s, of which a black picture would become. %s weight that is damaged"
                  + " or overflows? KolorsPipeline.Builder.checkWeights() looks for one; extreme"
                  + " guidance can be the cause, too. Compatibility.DIFFUSERS goes on.")
              .formatted(
                  what,
                  values[first],
                  stage == Stage.TEXT ? "" : ", for image %s of %s".formatted(image + 1, images),
                  suspects()),
          stage,
          image,
          step);
    }
  }

  /** Adapters are more likely than a checkpoint that has made pictures before. */
  private String suspects() {
    Adapters adapters = request.request().adapters();
    return adapters.uses().isEmpty()
        ? "A"
        : "One of the adapters %s, too strong or of another model, or a".formatted(adapters);
  }

  /** The same for a text of a request. */
  void requireFiniteText(EncodedPrompt text, int number, int texts) {
    for (FloatArray part : List.of(text.promptEmbeds(), text.pooledPromptEmbeds())) {
      float[] values = part.values();
      requireFinite(
          "the encoding of text %s of %s".formatted(number, texts),
          values,
          values.length,
          Stage.TEXT,
          number);
    }
  }

  /** The same for the latents after a denoising step. */
  void requireFiniteStep(float[] stepLatents, int step, float timestep) {
    requireFinite(
        "denoising step %s of %s, timestep %s,".formatted(step, steps, timestep),
        stepLatents,
        stepLatents.length,
        Stage.DENOISE,
        step);
  }

  /** Lets what ended the request carry what was finished before. */
  void carryFinished(Throwable failure) {
    end = System.nanoTime();
    if (failure instanceof GenerationCancelledException || failure instanceof OutOfMemoryError) {
      return; // has it already
    }
    try {
      failure.addSuppressed(unfinished);
    } catch (OutOfMemoryError _) {
      // The first failure is the one to be heard of.
    }
  }

  /** What is finished, all of it at the end. */
  ImageResult result() {
    int finished = pictures.size() + latents.size();
    List<Long> seeds = request.request().seeds();
    return new ImageResult(
        request.request(),
        pictures,
        request.wantsLatents() ? Optional.of(stacked()) : Optional.empty(),
        seeds.isEmpty() ? seeds : seeds.subList(0, finished),
        new Timings(
            Duration.ofNanos(textNanos),
            Duration.ofNanos(denoiseNanos),
            Duration.ofNanos(decodeNanos),
            Duration.ofNanos((end == 0 ? System.nanoTime() : end) - begin)),
        truncatedPrompts);
  }

  /** {@code [n, c, h, w]}. */
  private FloatArray stacked() {
    LatentSize size = request.size();
    float[] all = new float[latents.size() * size.values()];
    for (int i = 0; i < latents.size(); i++) {
      latents.get(i).copyTo(0, all, i * size.values(), size.values());
    }
    return FloatArray.wrap(all, latents.size(), size.channels(), size.height(), size.width());
  }

  private long nanosPerDecode() {
    return pictures.isEmpty() ? 0 : decodeNanos / pictures.size();
  }

  private Progress report(Stage stage, int step, int of, float timestep, long nanosPerStep) {
    long stepsLeft = (long) images * steps - stepsDone;
    Progress progress =
        new Progress(
            stage,
            image,
            images,
            step,
            of,
            timestep,
            Duration.ofNanos(nanosPerStep),
            Duration.ofNanos(stepsLeft * rate.nanosPerStep()));
    control.onProgress().ifPresent(listener -> listener.onProgress(progress));
    return progress;
  }

  private GenerationCancelledException cancelled(String why) {
    ImageResult finished = result();
    return new GenerationCancelledException(
        "[request] cancelled %s, after %s of %s denoising steps; %s of %s images are finished."
            .formatted(why, stepsDone, (long) images * steps, finished.count(), images),
        finished);
  }
}
