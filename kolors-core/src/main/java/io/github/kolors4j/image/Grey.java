package io.github.kolors4j.image;

/** From colours to brightness, byte for byte as Pillow's {@code convert("L")} (ITU-R 601). */
final class Grey {
  private static final int CHANNELS = 3;

  private Grey() {}

  /** One byte a pixel. */
  static byte[] of(KolorsImage image) {
    byte[] rgb = image.bytes();
    byte[] grey = new byte[rgb.length / CHANNELS];
    for (int i = 0; i < grey.length; i++) {
      int red = rgb[i * CHANNELS] & 255;
      int green = rgb[i * CHANNELS + 1] & 255;
      int blue = rgb[i * CHANNELS + 2] & 255;
      grey[i] = (byte) ((19_595 * red + 38_470 * green + 7_471 * blue + 0x8000) >> 16);
    }
    return grey;
  }
}
