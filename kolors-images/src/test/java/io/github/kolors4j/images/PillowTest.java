package io.github.kolors4j.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Files of strangers, against what Pillow reads from them, and what is refused. */
class PillowTest {
  /** These are refused, or read in another way. */
  private static final Set<String> OTHERWISE =
      Set.of("grey_16.tif", "lab.tif", "float.tif", "big.tif", "grey_signed.tif");

  private static PictureFiles files;

  @BeforeAll
  static void open() throws IOException {
    files = PictureFiles.open();
  }

  @AfterAll
  static void close() {
    files.close();
  }

  static List<String> names() throws IOException {
    try (PictureFiles opened = PictureFiles.open()) {
      return opened.names().stream().filter(name -> !OTHERWISE.contains(name)).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyFileHasThePixelsThatPillowGivesIt(String name) throws IOException {
    KolorsImage read = files.read(name);
    assertEquals(files.picture(name).toString(), read.toString());
    assertArrayEquals(files.picture(name).rgb(), read.rgb());
  }

  /** Pillow cuts each value off at 255. */
  @Test
  void of16BitsOfGreyTheHigherEightAreTaken() throws IOException {
    byte[] tiff = files.bytes("grey_16.tif");
    byte[] rgb = files.read("grey_16.tif").rgb();
    for (int i = 0; i < rgb.length; i++) {
      assertEquals(tiff[8 + i / 3 * 2 + 1], rgb[i]);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "lab.tif, is a TIFF file of photometric interpretation 8 with 3 samples of 8 bits in format 1:",
    "float.tif, is a TIFF file of photometric interpretation 1 with 1 samples of 32 bits in format 3:",
    "grey_signed.tif, is a TIFF file of photometric interpretation 1 with 1 samples of 8 bits in format 2:",
    "big.tif, is a BigTIFF file: only the usual form of TIFF is read."
  })
  void whatHasNoOneWayToEightBitsIsRefused(String name, String what) {
    String message =
        assertThrows(InvalidPictureException.class, () -> files.read(name)).getMessage();
    assertTrue(message.startsWith("[image] " + name + " " + what), message);
  }

  @ParameterizedTest
  @CsvSource({
    "rgb.tif, 6x5",
    "lossless.webp, 40x24",
    "lossy_5.webp, 83x61",
    "animated.webp, 40x24"
  })
  void pixelsAreCountedBeforeTheyAreDecoded(String name, String size) {
    PictureLimits limits = PictureLimits.DEFAULT.withMaxPixels(20);
    InvalidPictureException e =
        assertThrows(
            InvalidPictureException.class, () -> KolorsImage.read(files.bytes(name), name, limits));
    assertEquals(
        "[image] " + name + " is " + size + " pixels: 20 in all are the most.", e.getMessage());
  }

  @Test
  void theFirstFrameOfAnAnimatedWebpIsPutAtItsPlaceOnTheCanvas() throws IOException {
    byte[] webp = files.bytes("animated_lossless.webp");
    ByteBuffer bytes = ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(24, (byte) 49).put(27, (byte) 33); // a canvas of 50 x 34
    int frame = new String(webp, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("ANMF") + 8;
    bytes.put(frame, (byte) 2).put(frame + 3, (byte) 3); // the frame at 4, 6
    KolorsImage read = KolorsImage.read(webp, "moved", PictureLimits.DEFAULT);
    assertEquals("KolorsImage[50x34]", read.toString());
    byte[] expected = new byte[50 * 34 * 3];
    byte[] picture = files.picture("animated_lossless.webp").rgb();
    for (int y = 0; y < 24; y++) {
      System.arraycopy(picture, y * 40 * 3, expected, ((y + 6) * 50 + 4) * 3, 40 * 3);
    }
    assertArrayEquals(expected, read.rgb());
    bytes.put(frame, (byte) 6);
    assertThrows(
        InvalidPictureException.class,
        () -> KolorsImage.read(webp, "too far", PictureLimits.DEFAULT));
  }
}
