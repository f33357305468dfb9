package io.github.kolors4j.image;

import java.io.IOException;
import java.util.List;

/**
 * Reads picture files of some formats, with the values that Pillow gives them. {@link KolorsImage}
 * asks its own decoders first, for PNG, JPEG, GIF and BMP, and then those of other modules, which
 * {@link java.util.ServiceLoader} finds beside this class; {@code kolors-images} has one for TIFF
 * and WebP.
 *
 * <p>A decoder is used by several threads at once.
 */
public interface PictureDecoder {
  /**
   * The formats, for messages.
   *
   * @return their usual names, as {@code TIFF}
   */
  List<String> formats();

  /**
   * Whether a file is of one of the formats, by its first bytes.
   *
   * @param source the file, of any content
   * @return whether {@link #decode} is worth a try
   */
  boolean accepts(PictureSource source);

  /**
   * Decodes the file, or refuses what would not have Pillow's values.
   *
   * @param source the file, of any content; its size is {@linkplain PictureSource#checkSize
   *     checked} before there is room for its pixels
   * @return the picture as it is stored, and what is said about its orientation
   * @throws InvalidPictureException if it cannot be read, with a sentence of {@link
   *     PictureSource#fault}
   * @throws IOException any other one, and any unchecked exception, is taken for damage that a
   *     library has stumbled over
   */
  DecodedPicture decode(PictureSource source) throws IOException;
}
