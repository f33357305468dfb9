package io.github.kolors4j.request;

import java.time.Duration;

/**
 * Where a request stands.
 *
 * <p>Images are made one after another, each from its first step to its picture, after all prompts
 * have been encoded. A stage reports its beginning with {@code step} 0 and every completed step.
 *
 * @param stage the stage
 * @param image index of the image that is being made, from 0; 0 for {@link Stage#TEXT}
 * @param images how many images the request makes
 * @param step completed steps of this stage: denoising steps of this image, encoded texts, or 1 for
 *     a decoded picture
 * @param steps how many steps the stage has
 * @param timestep the timestep of the last completed denoising step; NaN elsewhere
 * @param perStep mean time of the steps of this stage so far, over all images; zero before the
 *     first. A request's first denoising step counts where it takes five seconds or more: in a
 *     shorter one the JVM may compile for longer than it computes
 * @param timeLeft estimate for the denoising steps that remain, those of further images included;
 *     zero while there is nothing to estimate from
 */
public record Progress(
    Stage stage,
    int image,
    int images,
    int step,
    int steps,
    float timestep,
    Duration perStep,
    Duration timeLeft) {}
