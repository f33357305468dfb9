package io.github.kolors4j.image;

import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;

/**
 * JPEG files. The JDK decodes the samples; what colours they are is decided here, as libjpeg-turbo
 * and Pillow do it. The JDK's own rules differ: it takes some files for RGB that are not, it
 * applies profiles, and it has a gamma of its own for inks. So it gets to see a file that says
 * nothing of colours.
 */
final class JpegDecoder implements PictureDecoder {
  /** The start of a file, and a segment of Adobe's by which samples are what they are. */
  private static final byte[] SAMPLES_AS_THEY_ARE =
      HexFormat.of().parseHex("ffd8" + "ffee" + "000e" + "41646f6265" + "0064" + "0000000000");

  /** A block of 64 values takes a bit at least, and a component may have a quarter of them. */
  private static final int MOST_PIXELS_A_BYTE = Byte.SIZE * 64 * 4;

  /**
   * Encoders make about ten. Each one may go over the whole picture, in a few bytes: 12 kB of 900
   * scans took a second at 640x480, and 60 kB of them a minute at 4000x4000.
   */
  private static final int MOST_SCANS = 32;

  /** A small picture may have more. */
  private static final long SCANNED_PIXELS = 1 << 25;

  private static final String NO_END = "Missing EOI marker";

  /** What the JDK warns of although all data is there. */
  private static final List<String> HARMLESS =
      List.of("extraneous bytes before marker", "Invalid SOS parameters for sequential JPEG");

  @Override
  public List<String> formats() {
    return List.of("JPEG");
  }

  @Override
  public boolean accepts(PictureSource source) {
    return source.has(0, 0xFF, 0xD8, 0xFF);
  }

  @Override
  public DecodedPicture decode(PictureSource source) throws IOException {
    JpegHead head = new JpegHead(source);
    JpegHead.Frame frame = head.frame();
    int components = frame.components();
    if (frame.process() > 2) {
      throw source.fault(
          "is a lossless, hierarchical or arithmetically coded JPEG file (process %d): baseline and"
              + " progressive ones are read",
          frame.process());
    }
    if (frame.precision() != 8 || (components != 1 && components != 3 && components != 4)) {
      throw source.fault(
          "is a JPEG file of %d components of %d bits: 1, 3 or 4 of 8 bits are read",
          components, frame.precision());
    }
    source.checkSize(frame.width(), frame.height(), components);
    source.checkPacking(frame.width(), frame.height(), MOST_PIXELS_A_BYTE);
    checkScans(source, head);
    WritableRaster samples = samples(source, head);
    for (int component = 0; component < components; component++) {
      if (frame.hasHalfTheRows(component)) {
        betweenRows(samples, component);
      }
    }
    byte[] rgb = rgb(samples, head.hasColourDifferences());
    KolorsImage stored = KolorsImage.owning(samples.getWidth(), samples.getHeight(), rgb);
    return new DecodedPicture(stored, head.exif(), head.xmp());
  }

  private static WritableRaster samples(PictureSource source, JpegHead head) throws IOException {
    byte[] bytes = source.bytes();
    InputStream parts =
        new SequenceInputStream(
            Collections.enumeration(
                List.of(
                    new ByteArrayInputStream(SAMPLES_AS_THEY_ARE),
                    new ByteArrayInputStream(head.tables()),
                    new ByteArrayInputStream(bytes, head.scan(), bytes.length - head.scan()))));
    try (JdkReader jdk = JdkReader.of("jpeg", parts)) {
      WritableRaster samples = (WritableRaster) jdk.reader().readRaster(0, null);
      for (String warning : jdk.warnings()) {
        boolean harmless =
            HARMLESS.stream().anyMatch(warning::contains)
                || (head.hasOneScan() && warning.contains(NO_END));
        if (!harmless) {
          throw source.fault("is cut short or damaged (%s)", warning);
        }
      }
      return samples;
    }
  }

  private static void checkScans(PictureSource source, JpegHead head)
      throws InvalidPictureException {
    byte[] bytes = source.bytes();
    long pixels = (long) head.frame().width() * head.frame().height();
    long most = Math.max(MOST_SCANS, SCANNED_PIXELS / pixels);
    int scans = 0;
    for (int at = head.scan(); at < bytes.length - 1; at++) {
      if (bytes[at] == (byte) 0xFF && bytes[at + 1] == (byte) 0xDA && ++scans > most) {
        throw source.fault("has more than %d scans, which are the most at its size", most);
      }
    }
  }

  /**
   * Rows of a component that has half of them, as libjpeg-turbo makes them: three parts of the
   * nearest row and one of the next. The JDK's older libjpeg does the like along columns alone and
   * repeats each row; where it is linked with the newer one, there is nothing left to do.
   */
  private static void betweenRows(WritableRaster samples, int component) {
    int width = samples.getWidth();
    int last = samples.getHeight() - 1;
    int[] row = new int[width];
    int[] repeated = new int[width];
    for (int y = 0; y < last; y += 2) {
      samples.getSamples(0, y, width, 1, component, row);
      samples.getSamples(0, y + 1, width, 1, component, repeated);
      if (!Arrays.equals(row, repeated)) {
        return;
      }
    }
    int[] above = samples.getSamples(0, 0, width, 1, component, (int[]) null);
    for (int y = 0; y <= last; y += 2) {
      samples.getSamples(0, y, width, 1, component, row);
      int[] below = samples.getSamples(0, Math.min(y + 2, last), width, 1, component, (int[]) null);
      samples.setSamples(0, y, width, 1, component, blend(row, above, 1));
      if (y < last) {
        samples.setSamples(0, y + 1, width, 1, component, blend(row, below, 2));
      }
      above = row.clone();
    }
  }

  private static int[] blend(int[] near, int[] far, int rounding) {
    int[] blended = new int[near.length];
    for (int x = 0; x < near.length; x++) {
      blended[x] = (3 * near[x] + far[x] + rounding) >> 2;
    }
    return blended;
  }

  /** By libjpeg's conversions, in whole numbers of 16 fractional bits; inks as Pillow's. */
  private static byte[] rgb(Raster samples, boolean colourDifferences) {
    int bands = samples.getNumBands();
    byte[] rgb = new byte[samples.getWidth() * samples.getHeight() * Pixels.RGB];
    int[] row = new int[samples.getWidth() * bands];
    int[] colour = new int[Pixels.RGB];
    int at = 0;
    for (int y = 0; y < samples.getHeight(); y++) {
      samples.getPixels(0, y, samples.getWidth(), 1, row);
      for (int from = 0; from < row.length; from += bands) {
        if (colourDifferences) {
          fromDifferences(row[from], row[from + 1] - 128, row[from + 2] - 128, colour);
        } else {
          for (int channel = 0; channel < Pixels.RGB; channel++) {
            colour[channel] = row[from + (bands == 1 ? 0 : channel)];
          }
        }
        for (int value : colour) {
          if (bands == 4) {
            // Adobe stores 255 - ink, but the differences are of the ink itself.
            int ink = colourDifferences ? value : 255 - value;
            value = Pixels.underInk(ink, 255 - row[from + 3]);
          }
          rgb[at++] = (byte) value;
        }
      }
    }
    return rgb;
  }

  private static void fromDifferences(int brightness, int blueness, int redness, int[] colour) {
    int greenness = -22_554 * blueness - 46_802 * redness; // 0.34414, 0.71414
    colour[0] = clamp(brightness + ((91_881 * redness + 32_768) >> 16)); // 1.40200
    colour[1] = clamp(brightness + ((greenness + 32_768) >> 16));
    colour[2] = clamp(brightness + ((116_130 * blueness + 32_768) >> 16)); // 1.77200
  }

  private static int clamp(int value) {
    return Math.clamp(value, 0, 255);
  }
}
