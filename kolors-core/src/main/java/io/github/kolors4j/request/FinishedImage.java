package io.github.kolors4j.request;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.tensor.FloatArray;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One image of a request that has just been completed.
 *
 * @param index which one, from 0: all images of the first prompt, then those of the second
 * @param seed that its noise came from; empty where the caller brought generators
 * @param image the picture; empty where latents were asked for
 * @param latents {@code [1, c, h/f, w/f]} in PyTorch's order, before the division by the scaling
 *     factor, where latents were asked for
 */
public record FinishedImage(
    int index, OptionalLong seed, Optional<KolorsImage> image, Optional<FloatArray> latents) {}
