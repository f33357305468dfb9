package io.github.kolors4j.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;

/**
 * PNG files. Their chunks are looked at first, which finds damage that the JDK's reader passes
 * over: it checks no sums, and takes the length of a chunk at its word.
 */
final class PngDecoder implements PictureDecoder {
  /** Deflate makes at most 1,032 bytes of one, with eight pixels each. */
  private static final int MOST_PIXELS_A_BYTE = 1032 * Byte.SIZE;

  @Override
  public List<String> formats() {
    return List.of("PNG");
  }

  @Override
  public boolean accepts(PictureSource source) {
    return source.has(0, 0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A);
  }

  @Override
  public DecodedPicture decode(PictureSource source) throws IOException {
    PngChunks chunks = checked(source);
    try (JdkReader jdk = JdkReader.of("png", new ByteArrayInputStream(source.bytes()))) {
      KolorsImage stored = Pixels.of(jdk.reader().read(0));
      return new DecodedPicture(stored, chunks.exif(), chunks.xmp());
    }
  }

  private static PngChunks checked(PictureSource source) throws InvalidPictureException {
    PngChunks chunks = new PngChunks(source);
    source.checkSize(
        Integer.toUnsignedLong(chunks.width()),
        Integer.toUnsignedLong(chunks.height()),
        chunks.pixelBytes());
    source.checkPacking(chunks.width(), chunks.height(), MOST_PIXELS_A_BYTE);
    return chunks;
  }

  /** In the place of the colours how transparent each pixel is: 255 − alpha. */
  DecodedPicture transparency(PictureSource source) throws IOException {
    PngChunks chunks = checked(source);
    // The reader passes over a transparent colour unless it is asked for the metadata.
    try (JdkReader jdk = JdkReader.withMetadata("png", new ByteArrayInputStream(source.bytes()))) {
      KolorsImage stored = Pixels.transparencyOf(jdk.reader().read(0));
      return new DecodedPicture(stored, chunks.exif(), chunks.xmp());
    }
  }
}
