package io.github.kolors4j.cli;

import static io.github.kolors4j.cli.Given.given;

import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the pictures show: a text, or what {@code encode} has written of one. */
final class PromptOptions {
  @Parameters(
      paramLabel = "PROMPT",
      arity = "0..1",
      description = "What the picture shows. Quote it; after -- it may begin with a hyphen.")
  private String prompt;

  @Option(
      names = "--negative-prompt",
      paramLabel = "T",
      description = "What the picture should not show. Default: empty.")
  private String negativePrompt;

  @Option(
      names = "--embeds",
      paramLabel = "FILE",
      description = "What encode has written, in place of PROMPT and --negative-prompt.")
  private Path embeds;

  @Option(
      names = "--max-sequence-length",
      paramLabel = "N",
      description = "Tokens that the model reads of a prompt, 1 to 256. Default: 256.")
  private Integer maxSequenceLength;

  /** Refuses what contradicts itself. */
  void check() {
    if (embeds == null && prompt == null) {
      throw new UsageException(
          "[arguments] no PROMPT: say what the picture should show, or give --embeds.");
    }
    if (embeds != null && prompt != null) {
      throw new UsageException(
          ("[arguments] both PROMPT \"%s\" and --embeds %s: the file takes the place of the prompt,"
                  + " give one of them.")
              .formatted(prompt, embeds));
    }
    if (embeds != null && negativePrompt != null) {
      throw new UsageException(
          ("[arguments] both --negative-prompt and --embeds %s: give the negative prompt to encode,"
                  + " which writes it into the file.")
              .formatted(embeds));
    }
  }

  /**
   * Says what does nothing.
   *
   * @param withoutNegative why there is no negative pass; empty where there is one
   */
  void warn(Terminal terminal, String withoutNegative) {
    if (negativePrompt != null && !negativePrompt.isEmpty() && !withoutNegative.isEmpty()) {
      terminal.warn("[arguments] --negative-prompt has no effect: %s.".formatted(withoutNegative));
    }
  }

  /** A request for the prompt, with all else at its default. */
  ImageRequest.Builder request() throws IOException {
    ImageRequest.Builder request =
        embeds == null
            ? ImageRequest.builder(prompt)
                .negativePrompt(negativePrompt == null ? "" : negativePrompt)
            : ImageRequest.builder(EmbedsFile.read(embeds));
    given(maxSequenceLength, request::maxSequenceLength);
    return request;
  }
}
