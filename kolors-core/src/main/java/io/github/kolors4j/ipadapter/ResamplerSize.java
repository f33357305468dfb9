package io.github.kolors4j.ipadapter;

/**
 * The sizes of a resampler, which makes a few tokens of many.
 *
 * @param embedDim width of the image encoder's features
 * @param dim width of the queries
 * @param depth how many layers
 * @param heads of each attention
 * @param ffDim width of the feed-forward layers
 * @param outputDim width of the tokens
 */
public record ResamplerSize(
    int embedDim, int dim, int depth, int heads, int ffDim, int outputDim) {}
