/**
 * From a prompt to token ids and back, as diffusers' {@code ChatGLMTokenizer} does it.
 *
 * <p>{@link io.github.kolors4j.tokenizer.ChatGlmTokenizer} is the way in. Behind it a SentencePiece
 * model of byte pairs is read from its protobuf file, and nothing in that file is trusted.
 */
@NullMarked
package io.github.kolors4j.tokenizer;

import org.jspecify.annotations.NullMarked;
