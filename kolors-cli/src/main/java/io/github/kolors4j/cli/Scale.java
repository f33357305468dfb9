package io.github.kolors4j.cli;

import static java.util.stream.Collectors.joining;

import java.util.List;

/**
 * How much something counts beside the prompt, as it was given; any number is taken, as by
 * diffusers.
 *
 * @param given the option with its value
 * @param value the number in it
 */
record Scale(String given, double value) {
  /** Ten times what is usual: from here on, either way, little but noise is to be seen. */
  private static final double MOST = 10;

  /** Says of all that are far from what is usual that they are. */
  static void warn(Terminal terminal, List<List<Scale>> scales) {
    String far =
        scales.stream()
            .flatMap(List::stream)
            .filter(scale -> Math.abs(scale.value) > MOST)
            .map(Scale::given)
            .distinct()
            .collect(joining(", "));
    if (!far.isEmpty()) {
      terminal.warn(
          "[arguments] %s: 0 to 1 is usual, and this far from it is noise.".formatted(far));
    }
  }
}
