package io.github.kolors4j.cli;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Options that follow another one, which begins a group of them. The parser begins a group also
 * where an option comes for the second time: such a group has no name, and is refused here. And it
 * takes options into a group that come before its name: of several groups, each with its options
 * behind its name, that is refused too. Of one alone they can be nobody else's.
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
   * Refuses a group that has no name, and of several ones options that are not behind their name.
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
      checkOrder(command, leader, groups.getFirst().options.keySet());
    }
  }

  /** The parser has lost what was before a name and what behind it; the arguments have it. */
  private static void checkOrder(CommandSpec command, String leader, Set<String> options) {
    boolean named = false;
    Set<String> behind = new HashSet<>();
    for (String arg : command.commandLine().getParseResult().originalArgs()) {
      if (arg.equals("--")) {
        return; // no option comes behind it
      }
      String name = arg.replaceFirst("=.*", "");
      if (name.equals(leader)) {
        named = true;
        behind.clear();
      } else if (options.contains(name) && !named) {
        throw new UsageException(
            "[arguments] %s before %s: there are several, and each has the options behind it. Put it behind its own."
                .formatted(name, leader));
      } else if (options.contains(name)
          && !behind.add(name)
          && !command.findOption(name).isMultiValue()) {
        throw twice(name, leader);
      }
    }
  }

  private static UsageException twice(String option, String leader) {
    return new UsageException(
        "[arguments] %s is there twice for one %s: give it once behind each."
            .formatted(option, leader));
  }

  private static UsageException unnamed(String leader, List<String> given, List<String> before) {
    Optional<String> twice = given.stream().filter(before::contains).findFirst();
    if (twice.isPresent()) {
      return twice(twice.get(), leader);
    }
    return new UsageException(
        "[arguments] %s without %s: it belongs to one, name that before it."
            .formatted(given.getFirst(), leader));
  }
}
