package io.github.kolors4j.request;

import io.github.kolors4j.tensor.random.Generator;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Who watches a request while it runs, and who may end it: given to {@code generate} beside the
 * request, which stays a value that can be stored, sent and repeated. Immutable; everything in it
 * is called on the thread that generates.
 *
 * {@snippet :
 * CancellationToken token = new CancellationToken();
 * RunControl control =
 *     RunControl.builder()
 *         .onProgress(progress -> System.err.println(progress))
 *         .cancellation(token)
 *         .build();
 * }
 */
public final class RunControl {
  /** Nobody watches. */
  public static final RunControl NONE = builder().build();

  private final Optional<ProgressListener> onProgress;
  private final Optional<StepCallback> onStepEnd;
  private final Optional<ImageListener> onImage;
  private final Optional<CancellationToken> cancellation;
  private final Optional<Duration> timeLimit;
  private final List<Generator> generators;

  private RunControl(Builder builder) {
    onProgress = builder.onProgress;
    onStepEnd = builder.onStepEnd;
    onImage = builder.onImage;
    cancellation = builder.cancellation;
    timeLimit = builder.timeLimit;
    generators = builder.generators;
  }

  /**
   * Begins without anybody.
   *
   * @return what builds it
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * With a token alone.
   *
   * @param token what ends the request
   * @return the control
   */
  public static RunControl cancelledBy(CancellationToken token) {
    return builder().cancellation(token).build();
  }

  /** Who is to watch and end a request. */
  public static final class Builder {
    private Optional<ProgressListener> onProgress = Optional.empty();
    private Optional<StepCallback> onStepEnd = Optional.empty();
    private Optional<ImageListener> onImage = Optional.empty();
    private Optional<CancellationToken> cancellation = Optional.empty();
    private Optional<Duration> timeLimit = Optional.empty();
    private List<Generator> generators = List.of();

    private Builder() {}

    /**
     * Someone who is told of each stage and each step.
     *
     * @param listener called at the beginning of each stage and the end of each step
     * @return this
     */
    public Builder onProgress(ProgressListener listener) {
      onProgress = Optional.of(listener);
      return this;
    }

    /**
     * Someone who sees and may change the latents after each denoising step; diffusers' {@code
     * callback_on_step_end}.
     *
     * @param callback called at the end of each denoising step
     * @return this
     */
    public Builder onStepEnd(StepCallback callback) {
      onStepEnd = Optional.of(callback);
      return this;
    }

    /**
     * Someone who is given each image when it is completed, before the request goes on: what he has
     * is not lost, whatever becomes of the rest.
     *
     * @param listener called once for each image, in their order
     * @return this
     */
    public Builder onImage(ImageListener listener) {
      onImage = Optional.of(listener);
      return this;
    }

    /**
     * What ends the request from outside.
     *
     * @param token looked at all the time, also inside the encoding of the prompts, a step and the
     *     decoding
     * @return this
     */
    public Builder cancellation(CancellationToken token) {
      cancellation = Optional.of(token);
      return this;
    }

    /**
     * How long the request may take, from the call of {@code generate} on; then it ends as if it
     * were cancelled.
     *
     * @param limit above zero
     * @return this
     * @throws IllegalArgumentException if the limit is not above zero
     */
    public Builder timeLimit(Duration limit) {
      if (!limit.isPositive()) {
        throw new IllegalArgumentException(
            "[request] a time limit of %s: use one above zero, or none.".formatted(limit));
      }
      timeLimit = Optional.of(limit);
      return this;
    }

    /**
     * Generators of the noise in place of the request's seeds; diffusers' {@code generator=}. Their
     * draws go on from where they stand, so such a run gives other pictures each time, and its
     * result names no seeds.
     *
     * @param generators one an image, each used by this run alone while it lasts
     * @return this
     */
    public Builder generators(List<? extends Generator> generators) {
      for (int i = 0; i < generators.size(); i++) {
        if (generators.get(i) == null) {
          throw new IllegalArgumentException("[request] generator %s is null.".formatted(i));
        }
      }
      this.generators = List.copyOf(generators);
      return this;
    }

    /**
     * The control.
     *
     * @return as it was put together
     */
    public RunControl build() {
      return new RunControl(this);
    }
  }

  /**
   * Who is told of stages and steps.
   *
   * @return the listener, if there is one
   */
  public Optional<ProgressListener> onProgress() {
    return onProgress;
  }

  /**
   * Who sees the end of each step.
   *
   * @return the callback, if there is one
   */
  public Optional<StepCallback> onStepEnd() {
    return onStepEnd;
  }

  /**
   * Who is given each image.
   *
   * @return the listener, if there is one
   */
  public Optional<ImageListener> onImage() {
    return onImage;
  }

  /**
   * What ends the request.
   *
   * @return the token, if there is one
   */
  public Optional<CancellationToken> cancellation() {
    return cancellation;
  }

  /**
   * How long the request may take.
   *
   * @return the limit, if there is one
   */
  public Optional<Duration> timeLimit() {
    return timeLimit;
  }

  /**
   * Generators in place of seeds.
   *
   * @return one an image, or none
   */
  public List<Generator> generators() {
    return generators;
  }

  /**
   * Begins with what this has.
   *
   * @return what builds another one
   */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.onProgress = onProgress;
    builder.onStepEnd = onStepEnd;
    builder.onImage = onImage;
    builder.cancellation = cancellation;
    builder.timeLimit = timeLimit;
    builder.generators = generators;
    return builder;
  }
}
