package io.github.kolors4j.run;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.GenerationCancelledException;
import io.github.kolors4j.request.ImageResult;
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
import java.util.Optional;
import java.util.OptionalLong;

/** What changes while a request runs: its clock, its progress, and what is finished. */
final class RunState {
  private final ResolvedRequest request;
  private final RunControl control;
  private final int images;
  private final int steps;
  private final List<TruncatedPrompt> truncatedPrompts = new ArrayList<>();
  private final List<KolorsImage> pictures = new ArrayList<>();
  private final List<FloatArray> latents = new ArrayList<>();

  private final long begin = System.nanoTime();
  private long stageBegin;
  private long textNanos;
  private long denoiseNanos;
  private long decodeNanos;

  /** The denoising steps alone, without what comes before and between them. */
  private long stepNanos;

  private int stepsDone;
  private int image;

  /**
   * A run that begins now.
   *
   * @param request with everything filled in
   * @param control who watches
   * @param steps denoising steps of each image
   */
  RunState(ResolvedRequest request, RunControl control, int steps) {
    this.request = request;
    this.control = control;
    this.images = request.numImages();
    this.steps = steps;
  }

  /** Ends the request if somebody wants that; called before each step and each decoding. */
  void checkCancelled() {
    if (Thread.currentThread().isInterrupted()) {
      throw cancelled("its thread was interrupted");
    }
    if (control.cancellation().map(CancellationToken::isCancelled).orElse(false)) {
      throw cancelled("its token was cancelled");
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
    report(Stage.DENOISE, 0, steps, Float.NaN, nanosPerStep());
  }

  /** A step that began at {@code stepBegin} has ended. */
  Progress endStep(float timestep, long stepBegin) {
    stepNanos += System.nanoTime() - stepBegin;
    stepsDone++;
    return report(Stage.DENOISE, stepsDone - image * steps, steps, timestep, nanosPerStep());
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
      throw cancelled("its callback asked for it");
    }
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

  /** Lets what ended the request carry what was finished before. */
  void carryFinished(Throwable failure) {
    if (failure instanceof GenerationCancelledException) {
      return; // has it already
    }
    try {
      failure.addSuppressed(new UnfinishedRequest(result()));
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
            Duration.ofNanos(System.nanoTime() - begin)),
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

  private long nanosPerStep() {
    return stepsDone == 0 ? 0 : stepNanos / stepsDone;
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
            Duration.ofNanos(stepsLeft * nanosPerStep()));
    control.onProgress().ifPresent(listener -> listener.onProgress(progress));
    return progress;
  }

  private GenerationCancelledException cancelled(String why) {
    ImageResult finished = result();
    return new GenerationCancelledException(
        "[request] cancelled, %s, after %d of %d denoising steps; %d of %d images are finished."
            .formatted(why, stepsDone, (long) images * steps, finished.count(), images),
        finished);
  }
}
