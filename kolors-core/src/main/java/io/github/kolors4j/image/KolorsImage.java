package io.github.kolors4j.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;

/** A picture, finished or to begin with: 8-bit RGB, rows from the top. Immutable. */
public final class KolorsImage {
  private static final int CHANNELS = 3;

  private final int width;
  private final int height;
  private final byte[] rgb;

  private KolorsImage(int width, int height, byte[] rgb) {
    this.width = width;
    this.height = height;
    this.rgb = rgb;
  }

  /**
   * A picture of the given bytes.
   *
   * @param width pixels in a row
   * @param height rows
   * @param rgb red, green and blue of each pixel, row by row from the top; copied
   * @return the picture
   * @throws IllegalArgumentException if an extent is below 1 or the number of bytes is not {@code
   *     width · height · 3}
   */
  public static KolorsImage of(int width, int height, byte[] rgb) {
    if (width < 1 || height < 1 || rgb.length != (long) width * height * CHANNELS) {
      throw new IllegalArgumentException(
          "[image] %d bytes do not make %dx%d pixels of 3 bytes each."
              .formatted(rgb.length, width, height));
    }
    return new KolorsImage(width, height, rgb.clone());
  }

  /**
   * Reads a picture file: PNG, JPEG, GIF, BMP, TIFF and what else ImageIO knows. Grey becomes RGB,
   * alpha is dropped, of 16 bits the higher eight are taken; a photograph is turned upright by its
   * Exif orientation.
   *
   * @param file the file
   * @return the picture
   * @throws IOException if the file is missing, damaged, too large or no picture that can be read
   */
  public static KolorsImage read(Path file) throws IOException {
    return PictureFile.read(file);
  }

  /**
   * The colours of an image of Swing, Java 2D or ImageIO; alpha is dropped.
   *
   * @param image of any type; copied
   * @return the picture
   * @throws IllegalArgumentException if it has more than (2³¹−1)/3 pixels
   */
  public static KolorsImage of(BufferedImage image) {
    return PictureFile.of(image);
  }

  /**
   * The picture at another size, by Lanczos' filter; byte for byte as Pillow's {@code
   * resize((width, height), LANCZOS)}. The proportions may change.
   *
   * @param newWidth pixels in a row, at least 1
   * @param newHeight rows, at least 1
   * @return the resized picture; this one where the size is the same
   * @throws IllegalArgumentException if an extent is below 1, or there are too many pixels
   */
  public KolorsImage resize(int newWidth, int newHeight) {
    if (newWidth == width && newHeight == height) {
      return this;
    }
    long most = Math.max((long) newWidth * height, (long) newWidth * newHeight) * CHANNELS;
    if (newWidth < 1 || newHeight < 1 || most > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[image] %dx%d pixels cannot be resized to %dx%d: 1 is the least, and 2^31-1 bytes the most."
              .formatted(width, height, newWidth, newHeight));
    }
    return new KolorsImage(
        newWidth, newHeight, Lanczos.resize(rgb, width, height, newWidth, newHeight));
  }

  /**
   * The width.
   *
   * @return pixels in a row
   */
  public int width() {
    return width;
  }

  /**
   * The height.
   *
   * @return rows
   */
  public int height() {
    return height;
  }

  /**
   * The bytes.
   *
   * @return red, green and blue of each pixel, row by row from the top; a new array
   */
  public byte[] rgb() {
    return rgb.clone();
  }

  /**
   * The picture for Swing, Java 2D and ImageIO.
   *
   * @return a new image of type {@link BufferedImage#TYPE_3BYTE_BGR}
   */
  public BufferedImage toBufferedImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
    byte[] bgr = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
    for (int i = 0; i < rgb.length; i += CHANNELS) {
      bgr[i] = rgb[i + 2];
      bgr[i + 1] = rgb[i + 1];
      bgr[i + 2] = rgb[i];
    }
    return image;
  }

  /**
   * Writes the picture as a PNG.
   *
   * @param out where to; left open
   * @throws IOException if writing fails
   */
  public void writeTo(OutputStream out) throws IOException {
    out.write(png());
  }

  /**
   * Saves the picture as a PNG. The file appears complete or not at all: the bytes go to a
   * neighbour that is then moved onto the name, over a file that may be there.
   *
   * @param file where to; its folder must exist
   * @throws IOException if the folder is missing or writing fails
   */
  public void save(Path file) throws IOException {
    byte[] png = png();
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      if (Files.isDirectory(file)) {
        throw new IOException("[image] " + file + " is a folder: give the name of a file.");
      }
      Files.write(file, png, StandardOpenOption.WRITE); // a pipe or a device has no neighbour
      return;
    }
    // A link is written through, not replaced.
    Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
    Path folder = target.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException(
          "[image] cannot save %s: the folder %s does not exist.".formatted(file, folder));
    }
    Path part = neighbour(target);
    try {
      Files.write(part, png, StandardOpenOption.CREATE_NEW);
      try {
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException _) {
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof KolorsImage image
        && width == image.width
        && height == image.height
        && Arrays.equals(rgb, image.rgb);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * width + height) + Arrays.hashCode(rgb);
  }

  /** {@code KolorsImage[1024x1024]}. */
  @Override
  public String toString() {
    return "KolorsImage[" + width + "x" + height + "]";
  }

  private static Path neighbour(Path target) {
    // Not Files.createTempFile: its files can be read by their owner only, also after the move.
    String random = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    return target.resolveSibling("." + random + ".png.part");
  }

  private byte[] png() throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(bytes)) {
      writer.setOutput(stream);
      writer.write(toBufferedImage());
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }
}
