package io.github.kolors4j.image;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * The JDK's own reader of a format, whatever other plugins are on the class path: they would give
 * other values, or be made for other callers.
 */
final class JdkReader implements AutoCloseable {
  private final ImageReader reader;
  private final ImageInputStream stream;
  private final List<String> warnings = new ArrayList<>();

  private JdkReader(ImageReader reader, ImageInputStream stream) {
    this.reader = reader;
    this.stream = stream;
  }

  /** A reader of the first picture, which needs nothing but its pixels. */
  static JdkReader of(String format, InputStream bytes) {
    return of(format, bytes, true);
  }

  /** A reader of the first picture and its metadata. */
  static JdkReader withMetadata(String format, InputStream bytes) {
    return of(format, bytes, false);
  }

  private static JdkReader of(String format, InputStream bytes, boolean ignoreMetadata) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (reader.getClass().getModule() == ImageIO.class.getModule()) {
        JdkReader opened = new JdkReader(reader, new MemoryCacheImageInputStream(bytes));
        reader.addIIOReadWarningListener((_, warning) -> opened.warnings.add(warning));
        reader.setInput(opened.stream, true, ignoreMetadata);
        return opened;
      }
    }
    throw new IllegalStateException(
        "[image] the JDK's ImageIO plugin for " + format + " is not registered.");
  }

  /** The reader, its input set. */
  ImageReader reader() {
    return reader;
  }

  /** What the reader has warned of so far. */
  List<String> warnings() {
    return warnings;
  }

  @Override
  public void close() throws IOException {
    reader.dispose();
    stream.close();
  }
}
