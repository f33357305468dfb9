import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import javax.imageio.ImageIO;

/** Compares a picture with its reference: within 2/255 everywhere, and 99 % within 1. */
public final class ComparePng {
  private static final int LARGEST = 2;
  private static final double SHARE_WITHIN_ONE = 0.99;

  private ComparePng() {}

  public static void main(String[] args) throws IOException {
    BufferedImage reference = read(args[0]);
    BufferedImage picture = read(args[1]);
    if (reference.getWidth() != picture.getWidth()
        || reference.getHeight() != picture.getHeight()) {
      fail("%s is not as large as %s".formatted(args[1], args[0]));
    }
    int largest = 0;
    int withinOne = 0;
    int values = 0;
    for (int y = 0; y < reference.getHeight(); y++) {
      for (int x = 0; x < reference.getWidth(); x++) {
        for (int shift = 0; shift <= 16; shift += 8) {
          int expected = reference.getRGB(x, y) >> shift & 0xFF;
          int actual = picture.getRGB(x, y) >> shift & 0xFF;
          int difference = Math.abs(expected - actual);
          largest = Math.max(largest, difference);
          withinOne += difference <= 1 ? 1 : 0;
          values++;
        }
      }
    }
    double share = (double) withinOne / values;
    System.out.printf(
        "%s: largest difference %d, %.2f %% within 1%n", args[1], largest, 100 * share);
    if (largest > LARGEST || share < SHARE_WITHIN_ONE) {
      fail("that is too far from the reference");
    }
  }

  private static BufferedImage read(String name) throws IOException {
    BufferedImage image = ImageIO.read(new File(name));
    if (image == null) {
      fail(name + " is no picture");
    }
    return image;
  }

  private static void fail(String why) {
    System.err.println(why);
    System.exit(1);
  }
}
