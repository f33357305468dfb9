package io.github.kolors4j.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Options that follow another one, which begins a group of them. The parser begins a group also
 * where an option comes for the second time: such a group has no name, and is refused here. Options
 * before the first name it takes for the first group's: where there are several, which each have
 * the options behind their names, that is refused too. Of one alone they can be nobody else's.
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
   * Refuses a group that has no name, and options before the first of several.
   *
   * @param command whose options they are
   * @param leader the option that begins a group, as {@code --controlnet}
   * @param groups in their order
   */
  static void checkNames(CommandSpec command, String leader, List<Group> groups) {
    List<String> before = List.of();
    for (Group group : groups) {
      if (group.name == null) {
        throw unnamed(leader, group.given(), before);
      }
      before = group.given();
    }
    if (groups.size() > 1) {
      checkOrder(command, leader, groups.getFirst().given());
    }
  }

  private static void checkOrder(CommandSpec command, String leader, List<String> ofFirst) {
    command.commandLine().getParseResult().originalArgs().stream()
        .map(arg -> arg.replaceFirst("=.*", ""))
        .takeWhile(name -> !name.equals(leader))
        .filter(ofFirst::contains)
        .findFirst()
        .ifPresent(
            early -> {
              throw new UsageException(
                  "[arguments] %s before %s: there are several, and each has the options behind it. Put it behind its own."
                      .formatted(early, leader));
            });
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
