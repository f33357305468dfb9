package io.github.kolors4j.hub;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The terms of a repository, as its card names them.
 *
 * @param name such as {@code apache-2.0}; {@code (none named)} where the card has none
 * @param link where they can be read, if the card says so
 */
public record Licence(String name, Optional<String> link) {
  /** Of a card that names none. */
  public static final Licence NONE_NAMED = new Licence("(none named)", Optional.empty());

  /** From the {@code cardData} of the hub's answer. */
  static Licence of(@Nullable Object card) {
    if (!(card instanceof Map<?, ?> values)) {
      return NONE_NAMED;
    }
    Optional<String> key = text(values.get("license"));
    Optional<String> name = text(values.get("license_name"));
    // "other" says that the name and the link are beside it
    Optional<String> shown = key.filter(text -> !text.equals("other")).or(() -> name).or(() -> key);
    return shown
        .map(text -> new Licence(text, text(values.get("license_link"))))
        .orElse(NONE_NAMED);
  }

  private static Optional<String> text(@Nullable Object value) {
    Object first = value instanceof List<?> list && !list.isEmpty() ? list.getFirst() : value;
    // one line for a terminal, whatever somebody wrote into a card
    return first instanceof String text && !text.isBlank()
        ? Optional.of(text.strip().replaceAll("\\p{Cntrl}+", " "))
        : Optional.empty();
  }

  /** Name and link. */
  @Override
  public String toString() {
    return name + link.map(text -> ", " + text).orElse("");
  }
}
