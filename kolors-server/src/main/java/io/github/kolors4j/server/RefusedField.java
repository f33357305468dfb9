package io.github.kolors4j.server;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which of a client's fields a sentence of the library is about: the library speaks of what a
 * request means, which a client has said under one of several names.
 *
 * @param words what the library calls it, as a regular expression
 * @param fields that say it
 */
record RefusedField(Pattern words, List<String> fields) {
  private static final List<RefusedField> ALL =
      List.of(
          of("width|height|pixels", "size", "width", "height"),
          of("seeds?", "seed"),
          of("images?|pictures?", "image", "images", "n", "num_images_per_prompt"),
          of("mask|mask_image|padding_mask_crop", "mask", "mask_image", "padding_mask_crop"),
          of("strength", "strength"),
          of("steps", "num_inference_steps", "steps"),
          of("scheduler", "scheduler", "scheduler_options"),
          of("negative prompts?", "negative_prompt"),
          of("prompts?", "prompt"),
          of("guidance[ _]scale", "guidance_scale", "cfg_scale"),
          of("guidance[ _]rescale", "guidance_rescale"),
          of("pag[ _]scale", "pag_scale"),
          of("pag[ _]adaptive[ _]scale", "pag_adaptive_scale"),
          of("max[ _]sequence[ _]length|tokens", "max_sequence_length"),
          of("eta", "eta"));

  private static RefusedField of(String words, String... fields) {
    return new RefusedField(
        Pattern.compile("(?<![\\w-])(?:" + words + ")(?![\\w-])"), List.of(fields));
  }

  /**
   * The field that a sentence names first, its part in brackets last.
   *
   * @param sentence of the library
   * @param sent the fields of the request
   * @return one of those that were sent; empty for a sentence about something else
   */
  static Optional<String> in(String sentence, Set<String> sent) {
    String said = sentence.replaceFirst("^\\[[^]]*] ", "");
    return first(said, sent).or(() -> first(sentence, sent));
  }

  private static Optional<String> first(String sentence, Set<String> sent) {
    int first = sentence.length();
    Optional<String> found = Optional.empty();
    for (RefusedField each : ALL) {
      Matcher matcher = each.words.matcher(sentence);
      Optional<String> field = each.fields.stream().filter(sent::contains).findFirst();
      if (field.isPresent() && matcher.find() && matcher.start() < first) {
        first = matcher.start();
        found = field;
      }
    }
    return found;
  }
}
