package io.github.kolors4j.springai;

import io.github.kolors4j.KolorsPipeline;
import java.io.IOException;

/**
 * Opens the pipeline of a {@link KolorsImageModel} when the first picture is asked for.
 *
 * {@snippet :
 * PipelineSource source = () -> KolorsPipeline.builder("DIR").precision(Precision.BF16).open();
 * }
 */
@FunctionalInterface
public interface PipelineSource {
  /**
   * Opens it. Called again where it failed and another picture is asked for.
   *
   * @return a pipeline of its own, which the image model closes
   * @throws IOException if it cannot be opened
   */
  KolorsPipeline open() throws IOException;
}
