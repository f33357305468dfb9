package io.github.kolors4j.cli;

import io.github.kolors4j.ImageRequest;
import java.util.function.BiFunction;

/** Options that change a request only where they are given. */
final class Given {
  private Given() {}

  /**
   * Applies one option.
   *
   * @param value the option's, null where it is not given
   * @param with how the request takes it
   * @return the request with the value, or as it was
   */
  static <T> ImageRequest given(
      ImageRequest request, T value, BiFunction<ImageRequest, T, ImageRequest> with) {
    return value == null ? request : with.apply(request, value);
  }
}
