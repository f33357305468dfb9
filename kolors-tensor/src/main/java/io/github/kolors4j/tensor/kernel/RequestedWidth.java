package io.github.kolors4j.tensor.kernel;

import java.util.Optional;
import java.util.Set;

/**
 * The vector width that the user asks for; a class of its own, as both kinds of kernels read it.
 */
final class RequestedWidth {
  /** Forces a vector width: 0 for the scalar kernels, or 128, 256 or 512. */
  private static final String PROPERTY = "kolors4j.vector.bits";

  private static final Set<String> BITS = Set.of("0", "128", "256", "512");

  private RequestedWidth() {}

  /** The width asked for by the system property, 0 for scalar; empty where nobody asked. */
  static Optional<Integer> bits() {
    String bits = System.getProperty(PROPERTY);
    if (bits == null) {
      return Optional.empty();
    }
    if (!BITS.contains(bits)) {
      throw new IllegalArgumentException(
          "[kernels] -D%s=%s: use 0 (scalar), 128, 256 or 512.".formatted(PROPERTY, bits));
    }
    return Optional.of(Integer.parseInt(bits));
  }
}
