package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreviewTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "TERM=xterm-kitty, KITTY",
    "KITTY_WINDOW_ID=1, KITTY",
    "TERM_PROGRAM=ghostty, KITTY",
    "KONSOLE_VERSION=230800, KITTY",
    "TERM_PROGRAM=iTerm.app, ITERM",
    "TERM_PROGRAM=WezTerm, ITERM",
    "COLORTERM=truecolor, BLOCKS",
    "TERM=xterm-256color, NONE",
    "TERM=xterm-kitty;TMUX=/tmp/tmux, NONE",
    "TERM=tmux-256color;COLORTERM=truecolor, NONE",
    "TERM=dumb;COLORTERM=truecolor, NONE"
  })
  void autoFollowsTheTerminal(String variables, PreviewMode expected) {
    Map<String, String> environment =
        Pattern.compile(";")
            .splitAsStream(variables)
            .map(each -> each.split("=", 2))
            .collect(java.util.stream.Collectors.toMap(each -> each[0], each -> each[1]));
    assertEquals(expected, PreviewMode.AUTO.in(environment, true));
    assertEquals(PreviewMode.NONE, PreviewMode.AUTO.in(environment, false), "no terminal");
    assertEquals(PreviewMode.BLOCKS, PreviewMode.BLOCKS.in(environment, true), "as asked for");
    assertEquals(PreviewMode.NONE, PreviewMode.KITTY.in(environment, false), "no terminal");
  }

  private static KolorsImage noise(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    new java.util.Random(1).nextBytes(rgb);
    return KolorsImage.of(width, height, rgb);
  }

  private static byte[] png(KolorsImage image) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    image.writeTo(png);
    return png.toByteArray();
  }

  /** Chunks of at most 4096 characters, of which all but the last say that more comes. */
  @Test
  void kittyGetsThePngInChunks() throws IOException {
    KolorsImage image = noise(64, 64);
    Matcher chunk =
        Pattern.compile("\u001b_G([^;]*);([^\u001b]*)\u001b\\\\").matcher(Preview.kitty(image));
    StringBuilder base64 = new StringBuilder();
    int chunks = 0;
    boolean more = true;
    while (chunk.find()) {
      assertTrue(more, "a chunk after the last");
      assertTrue(chunk.group(2).length() <= 4096);
      assertEquals(chunks == 0, chunk.group(1).contains("a=T,f=100"));
      more = chunk.group(1).endsWith("m=1");
      base64.append(chunk.group(2));
      chunks++;
    }
    assertFalse(more);
    assertTrue(chunks > 1, "one chunk only");
    assertArrayEquals(png(image), Base64.getDecoder().decode(base64.toString()));
  }

  @Test
  void itermGetsThePngInOne() throws IOException {
    KolorsImage image = noise(8, 8);
    String text = Preview.iterm(image);
    assertTrue(text.startsWith("\u001b]1337;File=inline=1;") && text.endsWith("\u0007"), text);
    String base64 = text.substring(text.indexOf(':') + 1, text.length() - 1);
    assertArrayEquals(png(image), Base64.getDecoder().decode(base64));
  }

  @Test
  void blocksHaveTwoPixelsACell() {
    byte[] rgb = new byte[40 * 40 * 3];
    for (int i = 0; i < rgb.length; i += 3) {
      rgb[i] = (byte) (i / 3 / 40 % 2 == 0 ? 255 : 0); // every second row is red
    }
    StringBuilder text = new StringBuilder();
    Preview.blocks(KolorsImage.of(40, 40, rgb), text);
    assertEquals(20, text.toString().lines().count());
    String cell = "\u001b[38;2;255;0;0m\u001b[48;2;0;0;0m\u2580";
    assertTrue(text.toString().startsWith(cell.repeat(40)), "not forty such cells");
  }

  @Test
  void onAScreenThePictureIsShownAndStandardOutputIsAsEver() {
    String out = folder.resolve("a.png").toString();
    String[] args = {
      "generate",
      "x",
      "--width",
      "16",
      "--height",
      "16",
      "--steps",
      "2",
      "--seed",
      "1",
      "--out",
      out,
      "--preview",
      "blocks"
    };
    Run screen = Run.with(true, args);
    assertEquals(0, screen.exitCode(), screen.err());
    assertTrue(screen.err().contains("\u2580"), screen.err());
    assertEquals(out + System.lineSeparator(), screen.out());
    Run pipe = Run.of(args);
    assertFalse(pipe.err().contains("\u001b"), pipe.err());
    Run wrong = Run.of("generate", "x", "--preview", "sixel");
    assertEquals(2, wrong.exitCode());
    assertTrue(wrong.err().contains("kitty"), wrong.err());
  }
}
