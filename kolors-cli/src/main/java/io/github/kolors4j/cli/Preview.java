package io.github.kolors4j.cli;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.StepCallback;
import io.github.kolors4j.request.StepEnd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Base64;

/**
 * The picture in the terminal, above the line of the progress: while it comes to be, from its
 * latents, and when it is finished. It goes to standard error, as the progress does.
 */
final class Preview implements StepCallback {
  /** Lines that a picture takes. */
  private static final int ROWS = 20;

  private static final int MOST_COLUMNS = 80;
  private static final long PAUSE_NANOS = 1_000_000_000L;

  /** Base64 characters of a chunk of kitty's protocol. */
  private static final int CHUNK = 4096;

  private static final String ESC = "\u001b";

  private final PreviewMode mode;
  private final PrintStream out;
  private boolean open;
  private long shown;

  /**
   * A preview.
   *
   * @param mode how; never {@link PreviewMode#AUTO}
   * @param out the terminal
   */
  Preview(PreviewMode mode, PrintStream out) {
    this.mode = mode;
    this.out = out;
  }

  @Override
  public void onStepEnd(StepEnd step) {
    long now = System.nanoTime();
    if (mode != PreviewMode.NONE && (!open || now - shown > PAUSE_NANOS)) {
      shown = now;
      draw(step.quickPreview());
    }
  }

  /** Shows the finished picture in the place of its preview, and leaves it there. */
  void finished(KolorsImage picture) {
    if (mode != PreviewMode.NONE) {
      draw(picture);
      open = false;
    }
  }

  private void draw(KolorsImage picture) {
    StringBuilder text = new StringBuilder("\r").append(ESC).append("[K");
    if (open) {
      text.append(ESC).append('[').append(ROWS).append('A');
    } else {
      text.append("\n".repeat(ROWS)).append(ESC).append('[').append(ROWS).append('A');
    }
    switch (mode) {
      case BLOCKS -> blocks(picture, text);
      case KITTY -> place(kitty(picture), text);
      case ITERM -> place(iterm(picture), text);
      default -> throw new IllegalStateException(mode.toString());
    }
    out.print(text);
    out.flush();
    open = true;
  }

  /** The cells of a picture that is as high as the lines; a cell is twice as high as wide. */
  private static int columns(KolorsImage picture) {
    int columns = Math.round(2f * ROWS * picture.width() / picture.height());
    return Math.clamp(columns, 1, MOST_COLUMNS);
  }

  /** Upper half blocks: two pixels a cell, one in front and one behind. */
  static void blocks(KolorsImage picture, StringBuilder text) {
    int columns = columns(picture);
    byte[] rgb = picture.resize(columns, 2 * ROWS).rgb();
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < columns; column++) {
        int upper = 3 * (2 * row * columns + column);
        colour(text, 38, rgb, upper);
        colour(text, 48, rgb, upper + 3 * columns);
        text.append('\u2580');
      }
      text.append(ESC).append("[0m").append(ESC).append("[K\n");
    }
  }

  private static void colour(StringBuilder text, int layer, byte[] rgb, int at) {
    text.append(ESC).append('[').append(layer).append(";2;");
    text.append(rgb[at] & 255).append(';').append(rgb[at + 1] & 255).append(';');
    text.append(rgb[at + 2] & 255).append('m');
  }

  /** Where the cursor is, which then goes below. */
  private static void place(String picture, StringBuilder text) {
    text.append(ESC).append('7').append(picture).append(ESC).append('8');
    text.append("\n".repeat(ROWS));
  }

  /** The PNG in chunks; one picture of that number, so that a new one replaces it. */
  static String kitty(KolorsImage picture) {
    String base64 = png(picture);
    StringBuilder text = new StringBuilder();
    for (int from = 0; from < base64.length(); from += CHUNK) {
      int end = Math.min(from + CHUNK, base64.length());
      text.append(ESC).append("_G");
      if (from == 0) {
        text.append("a=T,f=100,q=2,C=1,r=").append(ROWS);
        text.append(",c=").append(columns(picture)).append(',');
      }
      text.append(end < base64.length() ? "m=1;" : "m=0;");
      text.append(base64, from, end).append(ESC).append('\\');
    }
    return text.toString();
  }

  static String iterm(KolorsImage picture) {
    return ESC
        + "]1337;File=inline=1;preserveAspectRatio=1;height="
        + ROWS
        + ":"
        + png(picture)
        + "\u0007";
  }

  private static String png(KolorsImage picture) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      picture.writeTo(png);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail so
    }
    return Base64.getEncoder().encodeToString(png.toByteArray());
  }
}
