package io.github.kolors4j.batch;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.scheduler.Scheduler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * One picture that a row asks for.
 *
 * @param id the row's
 * @param arguments what the row and the defaults say, by diffusers' names, as JSON has it
 * @param texts the request without the picture that it begins with, which is read when it is its
 *     turn; with its seed
 * @param begin the picture to begin with
 * @param scheduler that takes the steps
 * @param hash of all that the picture's pixels depend on, and of the id: 16 hexadecimal digits
 */
public record BatchRequest(
    String id,
    Map<String, @Nullable Object> arguments,
    ImageRequest texts,
    Optional<Begin> begin,
    Scheduler scheduler,
    String hash) {

  /**
   * Longest part of a file's name that comes from an id: with it the name has 255 bytes at most.
   */
  private static final int ID_LETTERS = 48;

  /** Keeps a copy of the arguments. */
  public BatchRequest {
    Objects.requireNonNull(id, "id");
    arguments = Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
  }

  /**
   * A picture that a request begins with.
   *
   * @param files where it is
   * @param name as the row has it
   * @param sha256 of its file, 64 hexadecimal digits
   * @param strength how much of it is redrawn, 0 to 1, where the row says
   * @param denoisingStart the share of the way that is behind it, where the row says
   */
  public record Begin(
      RequestFiles files,
      String name,
      String sha256,
      OptionalDouble strength,
      OptionalDouble denoisingStart) {

    static Begin of(
        RequestFiles files, String name, OptionalDouble strength, OptionalDouble denoisingStart)
        throws IOException {
      return new Begin(files, name, hash(files.picture(name)), strength, denoisingStart);
    }

    private static String hash(byte[] bytes) {
      return new Identity().add(ByteBuffer.wrap(bytes)).digits();
    }

    private ImageRequest applied(ImageRequest request) throws IOException {
      byte[] bytes = files.picture(name);
      if (!hash(bytes).equals(sha256)) {
        throw new IOException(
            "[batch] the image %s was changed while the batch was running: start it again."
                .formatted(name));
      }
      ImageRequest.Builder whole =
          request.toBuilder().image(KolorsImage.read(bytes, name, PictureLimits.DEFAULT));
      strength.ifPresent(whole::strength);
      denoisingStart.ifPresent(whole::denoisingStart);
      return whole.build();
    }
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
   * The request with the picture that it begins with.
   *
   * @return what to generate
   * @throws IOException if the picture cannot be read, or was changed
   */
  public ImageRequest whole() throws IOException {
    return begin.isPresent() ? begin.get().applied(texts) : texts;
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
