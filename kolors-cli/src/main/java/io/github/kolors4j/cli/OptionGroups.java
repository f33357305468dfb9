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
   * One of them.
   *
   * @param name what the leader names; null where the group has none
   * @param options that follow it, by name; null where one was not given
   */
  record Group(@Nullable String name, Map<String, @Nullable Object> options) {
    private List<String> given() {
      return options.entrySet().stream()
          .filter(option -> option.getValue() != null)
          .map(Map.Entry::getKey)
          .toList();
    }
  }

  /**
   * Refuses a group that has no name.
   *
   * @param leader the option that begins a group, as {@code --controlnet}
   * @param groups in their order
   */
  static void checkNames(String leader, List<Group> groups) {
    List<String> before = List.of();
    for (Group group : groups) {
      if (group.name == null) {
        throw unnamed(leader, group.given(), before);
      }
      before = group.given();
    }
  }

  private static UsageException unnamed(String leader, List<String> given, List<String> before) {
    Optional<String> twice = given.stream().filter(before::contains).findFirst();
    if (twice.isPresent()) {
      return new UsageException(
          "[arguments] %s is there twice for one %s: give it once behind each."
              .formatted(twice.get(), leader));
    }
    return new UsageException(
        "[arguments] %s without %s: it belongs to one, name that before it."
            .formatted(given.getFirst(), leader));
  }
}
