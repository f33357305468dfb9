package io.github.kolors4j.request;

import java.time.Duration;

/**
 * How long a request took.
 *
 * @param text encoding of all prompts
 * @param denoise all denoising loops, with the prompts' part of the U-Net and callbacks
 * @param decode from latents to pictures
 * @param total from the call to the result
 */
public record Timings(Duration text, Duration denoise, Duration decode, Duration total) {}
