package io.github.kolors4j.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;

/** A picture, finished or to begin with: 8-bit RGB, rows from the top. Immutable. */
public final class KolorsImage {
  private static final int CHANNELS = 3;

  private static final int MOST_BLUR = 1000;

  /** As Linux does it. */
  private static final int MOST_LINKS = 40;

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
          "[image] %s bytes do not make %sx%s pixels of 3 bytes each."
              .formatted(rgb.length, width, height));
    }
    return new KolorsImage(width, height, rgb.clone());
  }

  /** A picture of bytes that nobody else keeps. */
  static KolorsImage owning(int width, int height, byte[] rgb) {
    return new KolorsImage(width, height, rgb);
  }

  /**
   * Reads a picture file, up to {@link PictureLimits#DEFAULT}: PNG, JPEG, GIF, BMP, and with the
   * module {@code kolors-images} also TIFF and WebP. The pixels are those of Pillow's {@code
   * ImageOps.exif_transpose(Image.open(file)).convert("RGB")}: a photograph is turned upright; grey
   * and inks become RGB; alpha and colour profiles are ignored; of an animation the first frame is
   * taken. Of 16 bits it takes the higher eight. What cannot be read so is refused.
   *
   * @param file the file
   * @return the picture
   * @throws InvalidPictureException if the file is damaged, cut short, too large, or no picture
   *     that can be read; with one sentence that names the file
   * @throws io.github.kolors4j.safetensors.InvalidFileException if it is missing or a folder
   * @throws IOException if the system cannot read it
   * @throws OutOfMemoryError if the heap is too full, with a sentence that says what helps
   */
  public static KolorsImage read(Path file) throws IOException {
    return read(file, PictureLimits.DEFAULT);
  }

  /**
   * Reads a picture file as {@link #read(Path)} does.
   *
   * @param file the file
   * @param limits the largest that is wanted
   * @return the picture
   * @throws InvalidPictureException if the file is damaged, cut short, too large, or no picture
   *     that can be read; with one sentence that names the file
   * @throws io.github.kolors4j.safetensors.InvalidFileException if it is missing or a folder
   * @throws IOException if the system cannot read it
   * @throws OutOfMemoryError if the heap is too full, with a sentence that says what helps
   */
  public static KolorsImage read(Path file, PictureLimits limits) throws IOException {
    return PictureFile.read(file, limits);
  }

  /**
   * Reads a picture from a stream, as {@link #read(Path)} reads it from a file. An upload that is
   * no picture and a stream that breaks are told apart by the exception.
   *
   * @param in the bytes, to the end; left open
   * @param name what messages call it, as the name of an upload
   * @param limits the largest that is wanted
   * @return the picture
   * @throws InvalidPictureException if the bytes are damaged, cut short, too many, or no picture
   *     that can be read
   * @throws IOException what the stream throws, unchanged
   * @throws OutOfMemoryError if the heap is too full, with a sentence that says what helps
   */
  public static KolorsImage read(InputStream in, String name, PictureLimits limits)
      throws IOException {
    return PictureFile.read(in, name, limits);
  }

  /**
   * Reads a picture from bytes, as {@link #read(Path)} reads it from a file.
   *
   * @param bytes those of a whole file; not changed
   * @param name what messages call it, as the name of an upload
   * @param limits the largest that is wanted
   * @return the picture
   * @throws InvalidPictureException if the bytes are damaged, cut short, too many, or no picture
   *     that can be read
   * @throws OutOfMemoryError if the heap is too full, with a sentence that says what helps
   */
  public static KolorsImage read(byte[] bytes, String name, PictureLimits limits)
      throws InvalidPictureException {
    return PictureFile.read(new PictureSource(name, bytes, limits));
  }

  /**
   * How transparent a PNG is, as a mask: white where it is transparent, black where it is opaque,
   * grey between. What editors and OpenAI's clients send to say where a picture is painted anew.
   *
   * @param bytes those of a whole file; not changed
   * @param name what messages call it, as the name of an upload
   * @param limits the largest that is wanted
   * @return the mask, of the picture's size and as upright as {@link #read} gives it; empty where
   *     nothing is transparent, or the file is no PNG
   * @throws InvalidPictureException if the PNG is damaged, cut short or too large
   * @throws OutOfMemoryError if the heap is too full, with a sentence that says what helps
   */
  public static Optional<KolorsImage> readTransparency(
      byte[] bytes, String name, PictureLimits limits) throws InvalidPictureException {
    return PictureFile.readTransparency(new PictureSource(name, bytes, limits));
  }

  /**
   * The colours of an image of Swing, Java 2D or ImageIO, with the values of Pillow's {@code
   * convert("RGB")}: alpha and colour profiles are ignored, and inks become colours without one.
   *
   * @param image of any type; copied
   * @return the picture
   * @throws IllegalArgumentException if it has more than (2³¹−1)/3 pixels
   */
  public static KolorsImage of(BufferedImage image) {
    return Pixels.of(image);
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
    return resize(newWidth, newHeight, ResizeFilter.LANCZOS);
  }

  /**
   * The picture at another size, by a filter of choice; byte for byte as Pillow's {@code
   * resize((width, height), filter)}. The proportions may change.
   *
   * @param newWidth pixels in a row, at least 1
   * @param newHeight rows, at least 1
   * @param filter the filter
   * @return the resized picture; this one where the size is the same
   * @throws IllegalArgumentException if an extent is below 1, or there are too many pixels
   */
  public KolorsImage resize(int newWidth, int newHeight, ResizeFilter filter) {
    if (newWidth == width && newHeight == height) {
      return this;
    }
    long most = Math.max((long) newWidth * height, (long) newWidth * newHeight) * CHANNELS;
    if (newWidth < 1 || newHeight < 1 || most > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "[image] %sx%s pixels cannot be resized to %sx%s: 1 is the least, and 2^31-1 bytes the most."
              .formatted(width, height, newWidth, newHeight));
    }
    return new KolorsImage(
        newWidth, newHeight, Resize.resize(filter, rgb, width, height, newWidth, newHeight));
  }

  /**
   * A part of the picture; Pillow's {@code crop}, inside of the picture.
   *
   * @param left pixels to the left of it
   * @param top rows above it
   * @param cropWidth pixels in a row
   * @param cropHeight rows
   * @return the part
   * @throws IllegalArgumentException if it is not inside of the picture, or empty
   */
  public KolorsImage crop(int left, int top, int cropWidth, int cropHeight) {
    if (left < 0
        || top < 0
        || cropWidth < 1
        || cropHeight < 1
        || cropWidth > width - left
        || cropHeight > height - top) {
      throw new IllegalArgumentException(
          "[image] %sx%s pixels at %s,%s are not inside of %sx%s."
              .formatted(cropWidth, cropHeight, left, top, width, height));
    }
    byte[] part = new byte[cropWidth * cropHeight * CHANNELS];
    for (int y = 0; y < cropHeight; y++) {
      System.arraycopy(
          rgb,
          ((top + y) * width + left) * CHANNELS,
          part,
          y * cropWidth * CHANNELS,
          cropWidth * CHANNELS);
    }
    return new KolorsImage(cropWidth, cropHeight, part);
  }

  /**
   * The picture blurred; byte for byte as Pillow's {@code filter(GaussianBlur(radius))}. Softens
   * the border of a mask.
   *
   * @param radius the standard deviation in pixels, 0 to 1000; diffusers blurs masks by 4
   * @return the blurred picture; this one where the radius is 0
   * @throws IllegalArgumentException if the radius is outside that
   */
  public KolorsImage gaussianBlur(double radius) {
    if (!(radius >= 0 && radius <= MOST_BLUR)) {
      throw new IllegalArgumentException(
          "[image] a blur of %s pixels: use 0 to %s.".formatted(radius, MOST_BLUR));
    }
    return radius == 0
        ? this
        : new KolorsImage(width, height, GaussianBlur.blur(rgb, width, height, (float) radius));
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

  /** The bytes themselves, for this package to look at. */
  byte[] bytes() {
    return rgb;
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
   * neighbour that is then moved onto the name, over a file that may be there. A link is written
   * through, also one to a file that is not there yet.
   *
   * @param file where to; its folder must exist
   * @throws IOException if the folder is missing or writing fails, with a sentence that names the
   *     file
   */
  public void save(Path file) throws IOException {
    save(file, ImageFormat.PNG, Map.of());
  }

  /**
   * Saves the picture as {@link #save(Path)} does, in a format of choice and with texts.
   *
   * @param file where to, whatever its name ends with; its folder must exist
   * @param format how it is written
   * @param texts by their keywords, as {@link PictureText#read} gives them again; none of the
   *     pixels depends on them
   * @throws IOException if the folder is missing or writing fails, with a sentence that names the
   *     file
   * @throws IllegalArgumentException if a keyword has not 1 to 79 letters
   */
  public void save(Path file, ImageFormat format, Map<String, String> texts) throws IOException {
    byte[] encoded = encode(format, texts);
    if (Files.isDirectory(file)) {
      throw new IOException("[image] " + file + " is a folder: give the name of a file.");
    }
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        Files.write(file, encoded, StandardOpenOption.WRITE); // a pipe or a device has no neighbour
      } else {
        replace(destination(file), encoded);
      }
    } catch (IOException e) {
      throw new IOException("[image] cannot save " + file + ": " + PictureFile.reason(e) + ".", e);
    }
  }

  /**
   * Writes the picture in a format of choice and with texts.
   *
   * @param out where to; left open
   * @param format how it is written
   * @param texts by their keywords
   * @throws IOException if writing fails
   * @throws IllegalArgumentException if a keyword has not 1 to 79 letters
   */
  public void writeTo(OutputStream out, ImageFormat format, Map<String, String> texts)
      throws IOException {
    out.write(encode(format, texts));
  }

  private byte[] encode(ImageFormat format, Map<String, String> texts) throws IOException {
    return switch (format) {
      case PNG -> texts.isEmpty() ? png() : PictureText.intoPng(png(), texts);
      case JPEG -> PictureText.intoJpeg(JdkWriter.jpeg(toBufferedImage()), texts);
    };
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

  /** Where a link leads in the end, which may not be there; the file itself, where it is none. */
  private static Path destination(Path file) throws IOException {
    Path target = file.toAbsolutePath();
    for (int links = 0; Files.isSymbolicLink(target); links++) {
      if (links == MOST_LINKS) {
        throw new IOException("more than " + MOST_LINKS + " links, one behind the other");
      }
      target = target.resolveSibling(Files.readSymbolicLink(target));
    }
    return target;
  }

  private static void replace(Path target, byte[] bytes) throws IOException {
    Path folder = target.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException("the folder " + folder + " does not exist");
    }
    // Not Files.createTempFile: its files can be read by their owner only, also after the move.
    String random = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    Path part = target.resolveSibling("." + random + ".png.part");
    try {
      Files.write(part, bytes, StandardOpenOption.CREATE_NEW);
      try {
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException _) {
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private byte[] png() throws IOException {
    ImageWriter writer = JdkWriter.of("png");
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
