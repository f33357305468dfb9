/**
 * Checkpoints from the Hugging Face hub and from ModelScope, in the cache that Python's {@code
 * huggingface_hub} shares. It knows files and no model.
 */
@org.jspecify.annotations.NullMarked
package io.github.kolors4j.hub;
