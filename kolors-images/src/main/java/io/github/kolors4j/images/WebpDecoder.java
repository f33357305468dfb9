package io.github.kolors4j.images;

import io.github.kolors4j.image.DecodedPicture;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureDecoder;
import io.github.kolors4j.image.PictureSource;
import java.io.IOException;
import java.util.List;
import org.ngengine.webp.decoder.DecodedWebP;
import org.ngengine.webp.decoder.WebPDecodeException;
import org.ngengine.webp.decoder.WebPDecoder;

/**
 * WebP files, lossy and lossless, the first frame of each. The decoder gets the chunk of that frame
 * alone: alpha is dropped anyway, and it knows no animations.
 */
public final class WebpDecoder implements PictureDecoder {
  private static final int RGBA = 4;
  private static final int RGB = 3;

  /** Its four of the result, and what it needs on the way. */
  private static final int DECODED_BYTES = 8;

  /** For {@link java.util.ServiceLoader}. */
  public WebpDecoder() {}

  @Override
  public List<String> formats() {
    return List.of("WebP");
  }

  @Override
  public boolean accepts(PictureSource source) {
    return source.has(0, 'R', 'I', 'F', 'F') && source.has(8, 'W', 'E', 'B', 'P');
  }

  @Override
  public DecodedPicture decode(PictureSource source) throws IOException {
    WebpChunks chunks = new WebpChunks(source);
    int width = chunks.canvas().width();
    int height = chunks.canvas().height();
    source.checkSize(width, height, DECODED_BYTES);
    DecodedWebP decoded;
    try {
      decoded = WebPDecoder.decode(chunks.image());
    } catch (WebPDecodeException e) {
      throw new IOException(e.getMessage(), e);
    }
    // What a frame leaves free is transparent black.
    byte[] rgb = new byte[width * height * RGB];
    for (int y = 0, from = 0; y < decoded.height; y++) {
      int at = ((chunks.top() + y) * width + chunks.left()) * RGB;
      for (int x = 0; x < decoded.width; x++, at += RGB, from += RGBA) {
        decoded.rgba.get(from, rgb, at, RGB);
      }
    }
    return new DecodedPicture(KolorsImage.of(width, height, rgb), chunks.exif(), chunks.xmp());
  }
}
