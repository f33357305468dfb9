package io.github.kolors4j.image;

import java.awt.image.BufferedImage;
import java.awt.image.DirectColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageReader;

/** BMP files. */
final class BmpDecoder implements PictureDecoder {
  private static final int HEADER = 14; // the next header begins with its length
  private static final int COMPRESSION = 30;
  private static final int RUNS_OF_BYTES = 1;
  private static final int RUNS_OF_HALF_BYTES = 2;
  private static final int JPEG = 4;
  private static final int PNG = 5;

  /** Of one bit each; a run of up to 255 takes two bytes. */
  private static final int MOST_PIXELS_A_BYTE = 8;

  private static final int MOST_PIXELS_A_BYTE_OF_RUNS = 128;

  @Override
  public List<String> formats() {
    return List.of("BMP");
  }

  @Override
  public boolean accepts(PictureSource source) {
    return source.has(0, 'B', 'M');
  }

  @Override
  public DecodedPicture decode(PictureSource source) throws IOException {
    boolean old = source.has(HEADER, 12, 0, 0, 0); // OS/2's, which has no compression
    if (!old && (source.has(COMPRESSION, JPEG) || source.has(COMPRESSION, PNG))) {
      throw source.fault("is a BMP file with a JPEG or PNG file inside, which is not read");
    }
    try (JdkReader jdk = JdkReader.of("bmp", new ByteArrayInputStream(source.bytes()))) {
      ImageReader reader = jdk.reader();
      int width = reader.getWidth(0);
      int height = reader.getHeight(0);
      source.checkSize(width, height, Integer.BYTES);
      boolean runs =
          !old
              && (source.has(COMPRESSION, RUNS_OF_BYTES)
                  || source.has(COMPRESSION, RUNS_OF_HALF_BYTES));
      source.checkPacking(width, height, runs ? MOST_PIXELS_A_BYTE_OF_RUNS : MOST_PIXELS_A_BYTE);
      BufferedImage image = reader.read(0);
      KolorsImage stored =
          image.getColorModel() instanceof DirectColorModel model
              ? masked(image.getRaster(), model)
              : Pixels.of(image);
      return new DecodedPicture(stored);
    }
  }

  /**
   * The samples as they are, whatever profile the file has: those of five or six bits stretched to
   * eight and rounded down.
   */
  private static KolorsImage masked(Raster raster, DirectColorModel model) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    byte[] rgb = new byte[width * raster.getHeight() * Pixels.RGB];
    int[] row = new int[width * bands];
    for (int y = 0, at = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int from = 0; from < row.length; from += bands) {
        for (int channel = 0; channel < Pixels.RGB; channel++) {
          int most = (1 << model.getComponentSize(channel)) - 1;
          rgb[at++] = (byte) (row[from + channel] * 255 / most);
        }
      }
    }
    return KolorsImage.owning(width, raster.getHeight(), rgb);
  }
}
