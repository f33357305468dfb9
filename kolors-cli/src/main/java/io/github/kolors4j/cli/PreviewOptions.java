package io.github.kolors4j.cli;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Whether the terminal shows the picture. */
final class PreviewOptions {
  @Option(
      names = "--preview",
      paramLabel = "MODE",
      defaultValue = "auto",
      converter = Mode.class,
      completionCandidates = Candidates.Previews.class,
      description =
          "The picture in the terminal, while it comes to be and at the end: auto, kitty, iterm,"
              + " blocks or none. Default: ${DEFAULT-VALUE}, which shows nothing without a terminal"
              + " and in tmux.")
  private PreviewMode mode;

  Preview preview(Terminal terminal) {
    return new Preview(mode.in(System.getenv(), terminal.interactive()), terminal.err());
  }

  /** A mode by its name. */
  static final class Mode implements ITypeConverter<PreviewMode> {
    @Override
    public PreviewMode convert(String text) {
      for (PreviewMode each : PreviewMode.values()) {
        if (each.name().toLowerCase(Locale.ROOT).equals(text)) {
          return each;
        }
      }
      throw new TypeConversionException(
          "'" + text + "' is no preview: use auto, kitty, iterm, blocks or none");
    }
  }
}
