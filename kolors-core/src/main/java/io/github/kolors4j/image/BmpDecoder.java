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
  private static final int JPEG = 4;
  private static final int PNG = 5;

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
      source.checkSize(reader.getWidth(0), reader.getHeight(0), Integer.BYTES);
      BufferedImage image = reader.read(0);
      KolorsImage stored =
          image.getColorModel() instanceof DirectColorModel model
                  && model.getPixelSize() <= Short.SIZE
              ? fewBits(image.getRaster(), model)
              : Pixels.of(image);
      return new DecodedPicture(stored);
    }
  }

  /** Each of five or six bits is stretched to eight and rounded down. */
  private static KolorsImage fewBits(Raster raster, DirectColorModel model) {
    int width = raster.getWidth();
    byte[] rgb = new byte[width * raster.getHeight() * Pixels.RGB];
    int[] row = new int[width * Pixels.RGB];
    for (int y = 0, at = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int i = 0; i < row.length; i++) {
        int most = (1 << model.getComponentSize(i % Pixels.RGB)) - 1;
        rgb[at++] = (byte) (row[i] * 255 / most);
      }
    }
    return KolorsImage.owning(width, raster.getHeight(), rgb);
  }
}
