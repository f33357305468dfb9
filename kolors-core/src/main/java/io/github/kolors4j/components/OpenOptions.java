package io.github.kolors4j.components;

import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.tensor.Precision;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How a checkpoint is opened.
 *
 * @param variant of the weights that is demanded
 * @param threads how many compute
 * @param precision of the products
 * @param checkWeights whether all weights are read, and NaN and infinity refused
 * @param promptCache where encoded prompts are remembered
 * @param textEncoderOnDemand whether the text encoder is open only while somebody encodes
 * @param singleFiles weights in the place of the checkpoint's
 * @param previewVae a tiny autoencoder for previews
 */
public record OpenOptions(
    Optional<String> variant,
    int threads,
    Precision precision,
    boolean checkWeights,
    Optional<PromptCache> promptCache,
    boolean textEncoderOnDemand,
    SingleFiles singleFiles,
    Optional<Path> previewVae) {}
