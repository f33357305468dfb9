package io.github.kolors4j.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Options that follow another one, which begins a group of them. The parser begins a group also
 * where an option comes for the second time: such a group has no name, and is refused here.
 */
final class OptionGroups {
  private OptionGroups() {}

  /**
   * What is wrong with a group that has no name.
   *
   * @param leader the option that begins a group, as {@code --controlnet}
   * @param group its options, by name; null where one was not given
   * @param before those of the group before it; empty for the first
   */
  static UsageException unnamed(
      String leader, Map<String, @Nullable Object> group, Map<String, @Nullable Object> before) {
    Optional<String> twice = given(group).stream().filter(given(before)::contains).findFirst();
    if (twice.isPresent()) {
      return new UsageException(
          "[arguments] %s is there twice for one %s: give it once behind each."
              .formatted(twice.get(), leader));
    }
    return new UsageException(
        "[arguments] %s without %s: it belongs to one, name that before it."
            .formatted(given(group).getFirst(), leader));
  }

  private static List<String> given(Map<String, @Nullable Object> group) {
    return group.entrySet().stream()
        .filter(option -> option.getValue() != null)
        .map(Map.Entry::getKey)
        .toList();
  }
}
