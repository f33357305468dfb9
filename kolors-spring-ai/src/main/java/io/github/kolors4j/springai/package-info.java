/**
 * Kolors as an image model of Spring AI.
 *
 * <p>{@link io.github.kolors4j.springai.KolorsImageModel} is the model and {@link
 * io.github.kolors4j.springai.KolorsImageOptions} says what a call wants beyond Spring AI's own
 * {@code ImageOptions}. Nothing is sent anywhere: the picture is computed in this JVM.
 */
@NullMarked
package io.github.kolors4j.springai;

import org.jspecify.annotations.NullMarked;
