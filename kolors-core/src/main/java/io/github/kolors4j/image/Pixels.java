package io.github.kolors4j.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;

/** From the samples of a decoder or of Java 2D to RGB bytes, as Pillow's {@code convert("RGB")}. */
final class Pixels {
  static final int RGB = 3;

  private Pixels() {}

  /**
   * The colours as they are stored: alpha is dropped, and no colour profile changes them. Inks
   * become colours by {@link #underInk}.
   *
   * @throws IllegalArgumentException if the bytes would be more than an array can hold
   */
  static KolorsImage of(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    long length = (long) width * height * RGB;
    if (length > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[image] %sx%s pixels of 3 bytes each are more than 2^31-1.".formatted(width, height));
    }
    byte[] rgb = new byte[(int) length];
    if (storesColours(image.getColorModel())) {
      convert(image.getRaster(), image.getColorModel(), rgb);
    } else {
      int[] row = new int[width];
      for (int y = 0, at = 0; y < height; y++) {
        image.getRGB(0, y, width, 1, row, 0, width);
        for (int pixel : row) {
          rgb[at++] = (byte) (pixel >> 16);
          rgb[at++] = (byte) (pixel >> 8);
          rgb[at++] = (byte) pixel;
        }
      }
    }
    return KolorsImage.owning(width, height, rgb);
  }

  /** How transparent each pixel is, as a shade of grey. */
  static KolorsImage transparencyOf(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    byte[] rgb = new byte[width * height * RGB]; // the decoder has checked the size
    if (image.getColorModel().hasAlpha()) {
      int[] row = new int[width];
      for (int y = 0, at = 0; y < height; y++) {
        image.getRGB(0, y, width, 1, row, 0, width);
        for (int pixel : row) {
          byte transparency = (byte) (255 - (pixel >>> 24));
          rgb[at++] = transparency;
          rgb[at++] = transparency;
          rgb[at++] = transparency;
        }
      }
    }
    return KolorsImage.owning(width, height, rgb);
  }

  /**
   * Whether the samples are the colours: {@code getRGB} would take grey and inks for linear light
   * and brighten them, and convert by an embedded profile.
   */
  private static boolean storesColours(ColorModel model) {
    int type = model.getColorSpace().getType();
    int transfer = model.getTransferType();
    return model instanceof ComponentColorModel
        && (type == ColorSpace.TYPE_GRAY
            || type == ColorSpace.TYPE_RGB
            || type == ColorSpace.TYPE_CMYK)
        && (transfer == DataBuffer.TYPE_BYTE || transfer == DataBuffer.TYPE_USHORT)
        && model.getComponentSize(0) == DataBuffer.getDataTypeSize(transfer);
  }

  private static void convert(Raster raster, ColorModel model, byte[] rgb) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    boolean inks = model.getColorSpace().getType() == ColorSpace.TYPE_CMYK;
    boolean grey = model.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
    boolean premultiplied = model.hasAlpha() && model.isAlphaPremultiplied();
    int shift = raster.getTransferType() == DataBuffer.TYPE_USHORT ? 8 : 0; // the high byte
    int[] row = new int[width * bands];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
      for (int from = 0; from < row.length; from += bands) {
        for (int channel = 0; channel < RGB; channel++) {
          int value = row[from + (grey ? 0 : channel)] >> shift;
          if (inks) {
            value = underInk(value, row[from + 3] >> shift);
          } else if (premultiplied) {
            int alpha = row[from + bands - 1] >> shift;
            value = alpha == 0 ? 0 : Math.min(255 * value / alpha, 255);
          }
          rgb[at++] = (byte) value;
        }
      }
    }
  }

  /**
   * A colour under its ink and black: {@code (255 − ink)(255 − black)/255}, rounded as Pillow does.
   *
   * @param ink cyan for red, magenta for green, yellow for blue, 0 to 255
   * @param black 0 to 255
   */
  static int underInk(int ink, int black) {
    int light = 255 - black;
    int product = ink * light + 128;
    return Math.max(0, light - (((product >> 8) + product) >> 8));
  }
}
