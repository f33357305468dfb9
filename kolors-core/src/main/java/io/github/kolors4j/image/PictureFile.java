package io.github.kolors4j.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/** Pictures of a user: files of every format that ImageIO knows, and images of Java 2D. */
final class PictureFile {
  private static final int CHANNELS = 3;

  /** Pillow's limit: a small file may unpack to more than fits a machine. */
  private static final long MAX_PIXELS = 178_956_970;

  private PictureFile() {}

  static KolorsImage read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw fault(file, "is a folder: give the name of a picture file", null);
    }
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw fault(file, "does not exist", e);
    } catch (IOException | OutOfMemoryError e) {
      throw fault(file, "cannot be read (" + e + ")", e);
    }
    BufferedImage image;
    try (ImageInputStream stream =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      image = decode(file, stream);
    }
    return Orientation.of(bytes).apply(of(image));
  }

  private static BufferedImage decode(Path file, ImageInputStream stream) throws IOException {
    Iterator<ImageReader> readers = ImageIO.getImageReaders(stream);
    if (!readers.hasNext()) {
      throw fault(
          file,
          "is no picture that can be read: "
              + String.join(", ", ImageIO.getReaderFileSuffixes())
              + " are the formats",
          null);
    }
    ImageReader reader = readers.next();
    try {
      reader.setInput(stream, true, true);
      long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
      if (pixels > MAX_PIXELS) {
        throw fault(
            file,
            "is %dx%d pixels: %,d in all are the most"
                .formatted(reader.getWidth(0), reader.getHeight(0), MAX_PIXELS),
            null);
      }
      return reader.read(0);
    } catch (PictureException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The readers throw all kinds of unchecked exceptions at bytes that they did not expect.
      String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      throw fault(file, "is damaged or of a kind that is not supported (" + reason + ")", e);
    } finally {
      reader.dispose();
    }
  }

  /** A fault that already has its sentence. */
  private static final class PictureException extends IOException {
    private static final long serialVersionUID = 1;

    PictureException(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  private static PictureException fault(Path file, String what, @Nullable Throwable cause) {
    return new PictureException("[image] " + file + " " + what + ".", cause);
  }

  /** The colours as they are stored: neither alpha nor a colour profile changes them. */
  static KolorsImage of(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    long length = (long) width * height * CHANNELS;
    if (length > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[image] %dx%d pixels of 3 bytes each are more than 2^31-1.".formatted(width, height));
    }
    byte[] rgb = new byte[(int) length];
    if (stored(image.getColorModel())) {
      samples(image.getRaster(), rgb);
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
    return KolorsImage.of(width, height, rgb);
  }

  /**
   * Whether the samples are the colours: {@code getRGB} would take grey for linear light and
   * brighten it, and convert by an embedded profile.
   */
  private static boolean stored(ColorModel model) {
    int type = model.getColorSpace().getType();
    int transfer = model.getTransferType();
    return model instanceof ComponentColorModel
        && !(model.hasAlpha() && model.isAlphaPremultiplied())
        && (type == ColorSpace.TYPE_GRAY || type == ColorSpace.TYPE_RGB)
        && (transfer == DataBuffer.TYPE_BYTE || transfer == DataBuffer.TYPE_USHORT)
        && model.getComponentSize(0) == DataBuffer.getDataTypeSize(transfer);
  }

  private static void samples(Raster raster, byte[] rgb) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    int shift = raster.getTransferType() == DataBuffer.TYPE_USHORT ? 8 : 0; // the high byte
    int[] row = new int[width * bands];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
      for (int x = 0; x < width; x++) {
        for (int channel = 0; channel < CHANNELS; channel++) {
          rgb[at++] = (byte) (row[x * bands + (bands < CHANNELS ? 0 : channel)] >> shift);
        }
      }
    }
  }
}
