package io.github.kolors4j.batch;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.Scheduler;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One picture that a row asks for.
 *
 * @param id the row's
 * @param arguments what the row and the defaults say, by diffusers' names, as JSON has it
 * @param texts the request without what is in files that the row names, which are read when it is
 *     its turn; with its seed
 * @param files what is in them
 * @param scheduler that takes the steps
 * @param hash of all that the picture's pixels depend on, and of the id: 16 hexadecimal digits
 */
public record BatchRequest(
    String id,
    Map<String, @Nullable Object> arguments,
    ImageRequest texts,
    List<FileArgument> files,
    Scheduler scheduler,
    String hash) {

  /**
   * Longest part of a file's name that comes from an id: with it the name has 255 bytes at most.
   */
  private static final int ID_LETTERS = 48;

  /** Keeps copies. */
  public BatchRequest {
    Objects.requireNonNull(id, "id");
    arguments = Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
    files = List.copyOf(files);
  }

  /**
   * The seed.
   *
   * @return the row's, or the one that was drawn for it
   */
  public long seed() {
    return texts.seeds().getFirst();
  }

  /**
   * The whole request: with what is in the files that the row names.
   *
   * @return what to generate
   * @throws IllegalArgumentException if it is one that cannot be
   * @throws IOException if a file cannot be read, or was changed
   */
  public ImageRequest whole() throws IOException {
    if (files.isEmpty()) {
      return texts;
    }
    ImageRequest.Builder whole = texts.toBuilder();
    for (FileArgument each : files) {
      each.apply(whole);
    }
    return whole.build();
  }

  /**
   * The name of the picture's file, which no other request has.
   *
   * @return {@code ID-SEED-HASH.png}, with the id as far as every system takes it in a name
   */
  public String fileName() {
    StringBuilder name = new StringBuilder();
    id.codePoints()
        .limit(ID_LETTERS)
        .map(c -> Character.isLetterOrDigit(c) || c == '-' || c == '_' || c == '.' ? c : '_')
        .forEach(name::appendCodePoint);
    if (name.charAt(0) == '.') {
      name.setCharAt(0, '_'); // nothing that a listing hides
    }
    return "%s-%s-%s.png".formatted(name, Long.toUnsignedString(seed()), hash);
  }
}
