package io.github.kolors4j.springai;

import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.ImageMessage;

/**
 * What the messages of a prompt say. A weight says on which side a message is: none or 1 is what
 * the picture shows, −1 what it does not. Kolors weighs nothing, so that there are no others.
 *
 * @param prompt the texts of the first kind, with a comma between them
 * @param negativePrompt the texts of the second kind, likewise; nothing where there is no such
 *     message
 * @param image the picture to begin with
 * @param mask white where the picture is painted anew, of its size
 */
record PromptMessages(
    String prompt,
    Optional<String> negativePrompt,
    Optional<KolorsImage> image,
    Optional<KolorsImage> mask) {
  /** What a picture is called that says where the other one is painted anew. */
  private static final String MASK = "mask";

  private static final String SEPARATOR = ", ";

  /**
   * Reads messages.
   *
   * @throws IllegalArgumentException if there is none, a weight is another one, or what comes with
   *     them is not one picture by its bytes
   */
  static PromptMessages of(List<ImageMessage> messages, PictureLimits limits) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException(
          "[spring-ai] a prompt without messages: give one, whose text may be empty.");
    }
    List<String> wanted = new ArrayList<>();
    List<String> unwanted = new ArrayList<>();
    List<Media> pictures = new ArrayList<>();
    for (ImageMessage message : messages) {
      if (isUnwanted(message.getWeight())) {
        if (!message.getMedia().isEmpty()) {
          throw new IllegalArgumentException(
              "[spring-ai] a picture in a message of weight -1: Kolors avoids texts alone, put it"
                  + " into a message without weight.");
        }
        unwanted.add(message.getText());
      } else {
        wanted.add(message.getText());
        pictures.addAll(message.getMedia());
      }
    }
    List<Media> masks = pictures.stream().filter(media -> media.getName().equals(MASK)).toList();
    pictures.removeAll(masks);
    Optional<KolorsImage> image = picture(pictures, limits);
    return new PromptMessages(
        joined(wanted),
        unwanted.isEmpty() ? Optional.empty() : Optional.of(joined(unwanted)),
        image,
        mask(masks, image, limits));
  }

  private static boolean isUnwanted(@Nullable Float weight) {
    if (weight == null || weight == 1) {
      return false;
    }
    if (weight == -1) {
      return true;
    }
    throw new IllegalArgumentException(
        "[spring-ai] a message of weight %s: Kolors weighs nothing, use 1 (or none) for what the"
                .formatted(weight)
            + " picture shows and -1 for what it does not.");
  }

  /** A message that only brings a picture has no text. */
  private static String joined(List<String> texts) {
    return String.join(SEPARATOR, texts.stream().filter(text -> !text.isBlank()).toList());
  }

  private static Optional<KolorsImage> picture(List<Media> pictures, PictureLimits limits) {
    if (pictures.isEmpty()) {
      return Optional.empty();
    }
    if (pictures.size() > 1) {
      throw new IllegalArgumentException(
          "[spring-ai] %s pictures to begin with: Kolors takes one.".formatted(pictures.size()));
    }
    Media media = pictures.getFirst();
    try {
      return Optional.of(KolorsImage.read(bytes(media), media.getName(), limits));
    } catch (InvalidPictureException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static Optional<KolorsImage> mask(
      List<Media> masks, Optional<KolorsImage> image, PictureLimits limits) {
    if (masks.isEmpty()) {
      return Optional.empty();
    }
    if (masks.size() > 1 || image.isEmpty()) {
      throw new IllegalArgumentException(
          "[spring-ai] %s masks and %s picture to begin with: a mask goes with the one picture."
              .formatted(masks.size(), image.isEmpty() ? "no" : "a"));
    }
    KolorsImage mask;
    try {
      byte[] bytes = bytes(masks.getFirst());
      Optional<KolorsImage> transparency = KolorsImage.readTransparency(bytes, MASK, limits);
      mask = transparency.isPresent() ? transparency.get() : KolorsImage.read(bytes, MASK, limits);
    } catch (InvalidPictureException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    if (mask.width() != image.get().width() || mask.height() != image.get().height()) {
      throw new IllegalArgumentException(
          "[spring-ai] the mask is %sx%s pixels and the picture to begin with %sx%s: they must be of one size."
              .formatted(mask.width(), mask.height(), image.get().width(), image.get().height()));
    }
    return Optional.of(mask);
  }

  private static byte[] bytes(Media media) {
    if (media.getData() instanceof byte[] bytes) {
      return bytes;
    }
    throw new IllegalArgumentException(
        "[spring-ai] the picture to begin with is a URL or a text: nothing is fetched that a request"
            + " names. Read it and give its bytes, or a Resource.");
  }
}
