package io.github.kolors4j.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * How files of one layout name a model's parameters.
 *
 * @param prefix what all names of the model begin with; where it is not empty, a file may have
 *     other models beside this one
 * @param name from diffusers' name of a parameter to the rest of its name there; empty for one that
 *     the layout has not got
 */
public record FileLayout(String prefix, Function<String, Optional<String>> name) {

  /**
   * Layouts that differ by their prefixes.
   *
   * @param prefixes which ones
   * @param name the rest of a parameter's name, for all of them
   * @return one for each
   */
  public static List<FileLayout> of(
      List<String> prefixes, Function<String, Optional<String>> name) {
    return prefixes.stream().map(prefix -> new FileLayout(prefix, name)).toList();
  }

  Optional<String> find(String parameter) {
    return name.apply(parameter).map(prefix::concat);
  }
}
