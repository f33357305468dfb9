/** Picture files that the JDK does not read, or not as Pillow: TIFF and WebP. */
module io.github.kolors4j.images {
  requires com.twelvemonkeys.imageio.core;
  requires com.twelvemonkeys.imageio.metadata;
  requires com.twelvemonkeys.imageio.tiff;
  requires image.webp.decoder;
  requires io.github.kolors4j;
  requires static org.jspecify;

  provides io.github.kolors4j.image.PictureDecoder with
      io.github.kolors4j.images.TiffDecoder,
      io.github.kolors4j.images.WebpDecoder;
}
