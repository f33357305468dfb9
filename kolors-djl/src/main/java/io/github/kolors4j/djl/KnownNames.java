package io.github.kolors4j.djl;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * The names that arguments or options may have. One that nobody knows is refused: it was mistyped,
 * and would otherwise be missed.
 *
 * @param kind what has the names, as {@code argument}
 * @param own those of this engine
 * @param others those of DJL and of DJL Serving, which pass theirs on to every engine
 */
record KnownNames(String kind, Set<String> own, Set<String> others) {
  /** DJL Serving has some of its own for each kind of device. */
  private static final String OF_A_DEVICE = "(cpu|gpu)\\..*";

  /** A longer one is no name that was meant. */
  private static final int MOST_LETTERS = 100;

  /**
   * Refuses a name that nobody knows.
   *
   * @throws IllegalArgumentException if there is one; with the names that there are, those first
   *     that are most like it
   */
  void check(Collection<String> given) {
    for (String name : new TreeSet<>(given)) {
      if (!own.contains(name) && !others.contains(name) && !name.matches(OF_A_DEVICE)) {
        throw new IllegalArgumentException(
            "[djl] no %s is called %s: use %s."
                .formatted(kind, shown(name), String.join(", ", nearestFirst(name))));
      }
    }
  }

  private static String shown(String name) {
    String clean = name.replaceAll("\\p{Cntrl}", "?");
    return clean.length() <= MOST_LETTERS ? clean : clean.substring(0, MOST_LETTERS) + "...";
  }

  private List<String> nearestFirst(String given) {
    String name = letters(shown(given));
    return own.stream()
        .sorted(
            Comparator.comparingInt((String each) -> edits(name, letters(each)))
                .thenComparing(Comparator.naturalOrder()))
        .toList();
  }

  /** So that {@code numInferenceSteps} is as good as {@code num_inference_steps}. */
  private static String letters(String name) {
    return name.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
  }

  /** Levenshtein's distance: letters that are to be added, left out or changed. */
  private static int edits(String a, String b) {
    int[] last = new int[b.length() + 1];
    for (int j = 0; j < last.length; j++) {
      last[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] next = new int[last.length];
      next[0] = i;
      for (int j = 1; j < next.length; j++) {
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        next[j] = Math.min(Math.min(last[j], next[j - 1]) + 1, last[j - 1] + change);
      }
      last = next;
    }
    return last[b.length()];
  }
}
