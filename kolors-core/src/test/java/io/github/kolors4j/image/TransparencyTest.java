package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** Masks of what is transparent. */
class TransparencyTest {
  private static byte[] png(BufferedImage image) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, "png", out));
    return out.toByteArray();
  }

  /** By alpha, and by a palette whose entries have some. */
  @Test
  void transparencyOfAPngIsWhiteAndOpacityBlack() throws IOException {
    BufferedImage alpha = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
    alpha.setRGB(0, 0, 0x00123456);
    alpha.setRGB(1, 0, 0x40123456);
    alpha.setRGB(2, 0, 0xff123456);
    byte[] colours = {0, 50, 100};
    BufferedImage palette =
        new BufferedImage(
            3,
            1,
            BufferedImage.TYPE_BYTE_INDEXED,
            new IndexColorModel(
                8, 3, colours, colours, colours, new byte[] {0, 0x40, (byte) 0xff}));
    palette.getRaster().setPixels(0, 0, 3, 1, new int[] {0, 1, 2});
    KolorsImage expected =
        KolorsImage.of(
            3,
            1,
            new byte[] {
              (byte) 255, (byte) 255, (byte) 255, (byte) 191, (byte) 191, (byte) 191, 0, 0, 0
            });
    for (BufferedImage image : List.of(alpha, palette)) {
      assertEquals(
          Optional.of(expected),
          KolorsImage.readTransparency(png(image), "mask", PictureLimits.DEFAULT));
    }
  }

  @Test
  void whatIsOpaqueOrNoPngHasNoTransparency() throws IOException {
    BufferedImage opaque = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
    for (int x = 0; x < 3; x++) {
      opaque.setRGB(x, 0, 0xff000000);
    }
    BufferedImage none = new BufferedImage(3, 1, BufferedImage.TYPE_INT_RGB);
    for (BufferedImage image : List.of(opaque, none)) {
      assertEquals(
          Optional.empty(),
          KolorsImage.readTransparency(png(image), "mask", PictureLimits.DEFAULT));
    }
    assertEquals(
        Optional.empty(),
        KolorsImage.readTransparency(new byte[] {'G', 'I', 'F'}, "mask", PictureLimits.DEFAULT));
    byte[] cut = Arrays.copyOf(png(none), 40);
    assertThrows(
        InvalidPictureException.class,
        () -> KolorsImage.readTransparency(cut, "mask", PictureLimits.DEFAULT));
  }
}
