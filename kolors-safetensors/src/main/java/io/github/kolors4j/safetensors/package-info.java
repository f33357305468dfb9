/**
 * Reading and writing of safetensors files and of checkpoints that consist of several.
 *
 * <p>{@link io.github.kolors4j.safetensors.SafetensorsFile} maps a file, {@link
 * io.github.kolors4j.safetensors.ShardedSafetensors} finds and maps the weights of a model's
 * directory, and {@link io.github.kolors4j.safetensors.SafetensorsWriter} writes a file. Nothing
 * here knows what the tensors mean.
 *
 * <p>A faulty file is a {@link io.github.kolors4j.safetensors.SafetensorsException} with one
 * sentence that begins with the file; a caller's wrong value is an {@link
 * java.lang.IllegalArgumentException}; use after close is an {@link
 * java.lang.IllegalStateException}.
 */
@NullMarked
package io.github.kolors4j.safetensors;

import org.jspecify.annotations.NullMarked;
