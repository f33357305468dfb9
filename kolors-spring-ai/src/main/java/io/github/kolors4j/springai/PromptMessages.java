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
 */
record PromptMessages(String prompt, Optional<String> negativePrompt, Optional<KolorsImage> image) {
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
    return new PromptMessages(
        joined(wanted),
        unwanted.isEmpty() ? Optional.empty() : Optional.of(joined(unwanted)),
        picture(pictures, limits));
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
    if (!(media.getData() instanceof byte[] bytes)) {
      throw new IllegalArgumentException(
          "[spring-ai] the picture to begin with is a URL or a text: nothing is fetched that a"
              + " request names. Read it and give its bytes, or a Resource.");
    }
    try {
      return Optional.of(KolorsImage.read(bytes, media.getName(), limits));
    } catch (InvalidPictureException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
