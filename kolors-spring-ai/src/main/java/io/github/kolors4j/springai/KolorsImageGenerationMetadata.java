package io.github.kolors4j.springai;

import io.github.kolors4j.request.Timings;
import org.springframework.ai.image.ImageGenerationMetadata;

/**
 * What is known of one picture of a response.
 *
 * @param seed that its noise came from, 0 to 2⁶⁴−1, where the negative numbers are those from 2⁶³
 *     on: with it and the same options, {@code n} aside, a call makes this picture again
 * @param width in pixels
 * @param height in pixels
 * @param timings how long the call took, all its pictures together and the queue aside
 */
public record KolorsImageGenerationMetadata(long seed, int width, int height, Timings timings)
    implements ImageGenerationMetadata {

  /** The type of the picture's bytes. */
  public static final String MIME_TYPE = "image/png";
}
