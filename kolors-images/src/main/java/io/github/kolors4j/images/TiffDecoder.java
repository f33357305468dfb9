package io.github.kolors4j.images;

import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageMetadata;
import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import io.github.kolors4j.image.DecodedPicture;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureDecoder;
import io.github.kolors4j.image.PictureSource;
import java.awt.Transparency;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * TIFF files, the first picture of each, by TwelveMonkeys' reader: grey, RGB, palettes, inks and
 * YCbCr of up to 16 bits, in all of its compressions.
 */
public final class TiffDecoder implements PictureDecoder {
  private static final int CLASSIC = 42;
  private static final int BIG = 43;

  /** No compression of whole bytes gets further; those of single bits do. */
  private static final int MOST_PIXELS_A_BYTE = 4096;

  /** For {@link java.util.ServiceLoader}. */
  public TiffDecoder() {}

  @Override
  public List<String> formats() {
    return List.of("TIFF");
  }

  @Override
  public boolean accepts(PictureSource source) {
    return source.has(0, 'I', 'I', CLASSIC, 0)
        || source.has(0, 'M', 'M', 0, CLASSIC)
        || isBig(source);
  }

  @Override
  public DecodedPicture decode(PictureSource source) throws IOException {
    if (isBig(source)) {
      throw source.fault("is a BigTIFF file: only the usual form of TIFF is read");
    }
    ImageReader reader = new TIFFImageReaderSpi().createReaderInstance(null);
    try (ImageInputStream stream = new ByteArrayImageInputStream(source.bytes())) {
      reader.setInput(stream, true, false);
      TiffFields fields = new TiffFields((TIFFImageMetadata) reader.getImageMetadata(0));
      int pixelBits = fields.checkedPixelBits(source);
      int width = reader.getWidth(0);
      int height = reader.getHeight(0);
      source.checkSize(width, height, Math.ceilDiv(pixelBits, Byte.SIZE));
      if (pixelBits >= Byte.SIZE) {
        source.checkPacking(width, height, MOST_PIXELS_A_BYTE);
      }
      fields.checkSegments(source, (long) width * height);
      BufferedImage image = reader.read(0);
      KolorsImage stored = KolorsImage.of(fields.isPremultiplied() ? premultiplied(image) : image);
      // The whole file has the form of an Exif block.
      return new DecodedPicture(stored, source.bytes(), fields.xmp());
    } finally {
      reader.dispose();
    }
  }

  private static boolean isBig(PictureSource source) {
    return source.has(0, 'I', 'I', BIG, 0) || source.has(0, 'M', 'M', 0, BIG);
  }

  /** The same samples, said to be what they are. */
  private static BufferedImage premultiplied(BufferedImage image) {
    ColorModel model =
        new ComponentColorModel(
            image.getColorModel().getColorSpace(),
            true,
            true,
            Transparency.TRANSLUCENT,
            image.getRaster().getTransferType());
    return new BufferedImage(model, image.getRaster(), true, null);
  }
}
