package io.github.kolors4j.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.UnmatchedArgumentException;

/** What somebody may have meant who has typed what no command knows. */
final class UnknownArgument {
  /** A longer one is no name that was meant. */
  private static final int MOST_LETTERS = 100;

  private static final int MOST_NAMES = 3;
  private static final String END_OF_OPTIONS = "--";

  private UnknownArgument() {}

  /** What was not understood; words behind an option that is unknown are its values. */
  static String sentence(UnmatchedArgumentException e, String... args) {
    String first = e.getUnmatched().getFirst();
    List<String> options = e.getUnmatched().stream().filter(each -> each.startsWith("-")).toList();
    if (!first.startsWith("-")
        || options.size() == e.getUnmatched().size()
        || isBehindOptions(first, args)) {
      return String.valueOf(e.getMessage());
    }
    return (options.size() == 1 ? "Unknown option: '" : "Unknown options: '")
        + String.join("', '", options)
        + "'";
  }

  /** A hint, to be put behind the parser's own words; empty where nothing is near. */
  static String hint(UnmatchedArgumentException e, String... args) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    String first = e.getUnmatched().getFirst();
    if (first.length() > MOST_LETTERS) {
      return "";
    }
    if (first.startsWith("-") && isBehindOptions(first, args)) {
      return ": nothing behind -- is an option; put it before";
    }
    if (first.startsWith("-")) {
      int end = first.indexOf('=');
      return meant(end < 0 ? first : first.substring(0, end), command.optionsMap().keySet());
    }
    if (!command.subcommands().isEmpty()) {
      return meant(first, command.subcommands().keySet());
    }
    return words(command, e.getUnmatched());
  }

  private static boolean isBehindOptions(String argument, String... args) {
    List<String> all = List.of(args);
    int options = all.indexOf(END_OF_OPTIONS);
    return options >= 0 && all.lastIndexOf(argument) > options;
  }

  /** A text that the shell has taken apart, because it is not in quotes. */
  private static String words(CommandSpec command, List<String> unmatched) {
    List<String> words = new ArrayList<>();
    for (PositionalParamSpec text : command.positionalParameters()) {
      if (text.getValue() instanceof String begin) {
        words.add(begin);
      }
    }
    if (words.isEmpty()) {
      return "";
    }
    for (String word : unmatched) {
      if (word.startsWith("-")) {
        break;
      }
      words.add(word);
    }
    return ": put a text of several words in quotes, as \"" + String.join(" ", words) + "\"";
  }

  /**
   * A question, to be put behind a sentence that says what is unknown; empty where nothing is near.
   *
   * @param typed what was given
   * @param names those that there are
   */
  static String meant(String typed, Collection<String> names) {
    List<String> nearest = new ArrayList<>();
    int least = Math.max(1, typed.replaceFirst("^--?", "").length() / 3);
    for (String name : names) {
      int edits = name.startsWith(typed) ? 1 : edits(typed, name);
      if (edits < least) {
        nearest.clear();
      }
      if (edits <= least) {
        least = edits;
        nearest.add(name);
      }
    }
    return nearest.isEmpty() || nearest.size() > MOST_NAMES
        ? ""
        : ": did you mean " + String.join(" or ", nearest) + "?";
  }

  /** Letters that are to be added, left out, changed or swapped with a neighbour. */
  static int edits(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(Math.min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
