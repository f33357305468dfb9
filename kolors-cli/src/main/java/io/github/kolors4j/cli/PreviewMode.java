package io.github.kolors4j.cli;

import java.util.Locale;
import java.util.Map;

/** How a terminal can show a picture. */
enum PreviewMode {
  /** As the terminal's environment says. */
  AUTO,
  /** The protocol of kitty, which Ghostty and Konsole know too. */
  KITTY,
  /** The protocol of iTerm2, which WezTerm knows too. */
  ITERM,
  /** Half blocks in true colour. */
  BLOCKS,
  /** Not at all. */
  NONE;

  /**
   * The mode in force: none without a screen; by itself none in tmux and screen, which swallow
   * pictures, and where nothing is known of the terminal.
   */
  PreviewMode in(Map<String, String> environment, boolean interactive) {
    if (!interactive) {
      return NONE;
    }
    return this == AUTO ? detected(environment) : this;
  }

  private static PreviewMode detected(Map<String, String> environment) {
    String term = environment.getOrDefault("TERM", "");
    String program = environment.getOrDefault("TERM_PROGRAM", "").toLowerCase(Locale.ROOT);
    if (environment.containsKey("TMUX")
        || term.startsWith("tmux")
        || term.startsWith("screen")
        || term.equals("dumb")) {
      return NONE;
    }
    if (environment.containsKey("KITTY_WINDOW_ID")
        || environment.containsKey("KONSOLE_VERSION")
        || term.contains("kitty")
        || program.equals("ghostty")) {
      return KITTY;
    }
    if (program.equals("iterm.app")
        || program.equals("wezterm")
        || environment.getOrDefault("LC_TERMINAL", "").equals("iTerm2")) {
      return ITERM;
    }
    String colours = environment.getOrDefault("COLORTERM", "");
    return colours.equals("truecolor") || colours.equals("24bit") ? BLOCKS : NONE;
  }
}
