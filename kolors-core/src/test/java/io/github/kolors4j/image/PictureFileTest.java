package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of strangers, against what Pillow reads from them, and what is refused. */
class PictureFileTest {
  private static Fixture fixture;

  @TempDir Path folder;

  @BeforeAll
  static void open() throws IOException {
    fixture = Fixture.open("image/files");
  }

  @AfterAll
  static void close() {
    fixture.close();
  }

  static List<String> files() throws IOException {
    try (Fixture opened = Fixture.open("image/files")) {
      JsonObject config = JsonParser.parseString(opened.config().text()).getAsJsonObject();
      return config.getAsJsonArray("files").asList().stream()
          .map(JsonElement::getAsString)
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyFileHasThePixelsThatPillowGivesIt(String name) throws IOException {
    int[] dims = fixture.dims("output.file." + name);
    KolorsImage expected = KolorsImage.of(dims[1], dims[0], fixture.bytes("output.file." + name));
    KolorsImage read = read(file(name));
    assertEquals(expected.toString(), read.toString());
    assertArrayEquals(expected.rgb(), read.rgb());
  }

  /** Without its end mark a file may be whole. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "420.jpg",
        "420_progressive.jpg",
        "cmyk.jpg",
        "restarts.jpg",
        "rgb.png",
        "interlaced.png",
        "two_data_chunks.png",
        "smooth.gif",
        "offset.gif",
        "smooth.bmp",
        "palette_4.bmp",
        "rle_8.bmp"
      })
  void aFileThatIsCutIsRefusedOrHasAllOfItsPixels(String name) throws IOException {
    byte[] file = file(name);
    KolorsImage whole = read(file);
    int refused = 0;
    for (int length = 0; length < file.length; length++) {
      byte[] cut = Arrays.copyOf(file, length);
      try {
        assertEquals(whole, read(cut), name + " cut to " + length);
      } catch (InvalidPictureException e) {
        assertTrue(e.getMessage().startsWith("[image] upload "), e.getMessage());
        refused++;
      }
    }
    assertTrue(refused >= file.length - 2, name + ": only " + refused + " cuts were refused");
  }

  @Test
  void aChangedByteOfAPngIsFoundByItsChecksum() throws IOException {
    byte[] png = file("rgb.png");
    for (int at = 8; at < png.length - 12; at++) {
      byte[] changed = png.clone();
      changed[at] ^= 1;
      assertThrows(InvalidPictureException.class, () -> read(changed), "byte " + at);
    }
    png[png.length - 30] ^= 1;
    assertEquals("[image] upload is damaged: the checksum of its chunk IDAT is wrong.", fault(png));
  }

  @Test
  void aJpegWhoseDataBreaksOffInTheMiddleIsRefusedThoughItsEndIsThere() throws IOException {
    byte[] jpeg = file("420.jpg");
    byte[] broken = Arrays.copyOf(jpeg, jpeg.length - 100);
    broken[broken.length - 2] = (byte) 0xFF;
    broken[broken.length - 1] = (byte) 0xD9;
    assertEquals(
        "[image] upload is cut short or damaged (Corrupt JPEG data: premature end of data"
            + " segment).",
        fault(broken));
  }

  @Test
  void aJpegOfMoreScansThanItsSizeExcusesIsRefused() throws IOException {
    byte[] jpeg = file("420_progressive.jpg");
    byte[] scan = {(byte) 0xFF, (byte) 0xDA, 0, 6, 0, 0, 63, 0};
    ByteArrayOutputStream many = new ByteArrayOutputStream();
    many.write(jpeg, 0, jpeg.length - 2);
    int frame = indexOf(jpeg, 0xC2);
    int pixels =
        ByteBuffer.wrap(jpeg).getShort(frame + 4) * ByteBuffer.wrap(jpeg).getShort(frame + 6);
    int most = (1 << 25) / pixels;
    for (int i = 0; i < most; i++) {
      many.writeBytes(scan);
    }
    assertEquals(
        "[image] upload has more than " + most + " scans, which are the most at its size.",
        fault(many.toByteArray()));
  }

  @Test
  void whatTheJdkDoesNotReadAsPillowIsRefusedWithItsKind() throws IOException {
    byte[] arithmetic = file("420.jpg");
    int frame = indexOf(arithmetic, 0xC0);
    arithmetic[frame] = (byte) 0xC9;
    assertEquals(
        "[image] upload is a lossless, hierarchical or arithmetically coded JPEG file (process 9):"
            + " baseline and progressive ones are read.",
        fault(arithmetic));
    byte[] deep = file("420.jpg");
    deep[frame + 3] = 12;
    assertEquals(
        "[image] upload is a JPEG file of 3 components of 12 bits: 1, 3 or 4 of 8 bits are read.",
        fault(deep));
    byte[] nested = file("smooth.bmp");
    nested[30] = 5;
    assertEquals(
        "[image] upload is a BMP file with a JPEG or PNG file inside, which is not read.",
        fault(nested));
  }

  @Test
  void aFileOfAnotherModuleNamesIt() {
    byte[] tiff = {'I', 'I', 42, 0, 8, 0, 0, 0};
    assertEquals(
        "[image] upload is a TIFF file, which no module here reads: add kolors-images, or convert"
            + " it to PNG.",
        fault(tiff));
    byte[] webp = {'R', 'I', 'F', 'F', 4, 0, 0, 0, 'W', 'E', 'B', 'P'};
    assertTrue(fault(webp).startsWith("[image] upload is a WebP file, which no module here reads"));
  }

  @Test
  void pixelsAreCountedBeforeTheyAreDecoded() throws IOException {
    byte[] png = file("smooth.png");
    PictureLimits limits = PictureLimits.DEFAULT.withMaxPixels(40 * 24);
    assertEquals("KolorsImage[40x24]", KolorsImage.read(png, "upload", limits).toString());
    InvalidPictureException e =
        assertThrows(
            InvalidPictureException.class,
            () -> KolorsImage.read(png, "upload", limits.withMaxPixels(40 * 24 - 1)));
    assertEquals("[image] upload is 40x24 pixels: 959 in all are the most.", e.getMessage());
  }

  @Test
  void pixelsAreHeldAgainstTheHeap() throws InvalidPictureException {
    PictureSource source = new PictureSource("upload", new byte[100], PictureLimits.DEFAULT);
    source.checkSize(1000, 1000, 4, 7_000_100);
    InvalidPictureException e =
        assertThrows(
            InvalidPictureException.class, () -> source.checkSize(1000, 1000, 4, 7_000_099));
    assertEquals(
        "[image] upload is 1000x1000 pixels, which take about 8 MB of Java heap, and it can have 8"
            + " MB: use a smaller picture, or start Java with a larger -Xmx.",
        e.getMessage());
  }

  @Test
  void pixelsThatAFileCannotHoldAreNotMadeRoomFor() throws IOException {
    byte[] png = withSize(file("rgb.png"), 13_000, 13_000);
    assertEquals(
        "[image] upload is cut short or damaged (13000x13000 pixels in 306 bytes).", fault(png));
    byte[] jpeg = file("420.jpg");
    int frame = indexOf(jpeg, 0xC0);
    ByteBuffer.wrap(jpeg).putShort(frame + 4, (short) 13_000).putShort(frame + 6, (short) 13_000);
    assertTrue(fault(jpeg).contains("13000x13000 pixels in"), fault(jpeg));
  }

  @Test
  void noMorePixelsThanAnArrayHoldsAreTried() throws IOException {
    PictureLimits none = PictureLimits.DEFAULT.withMaxPixels(Long.MAX_VALUE);
    byte[] png = withSize(file("rgb.png"), 1 << 16, 1 << 16);
    InvalidPictureException e =
        assertThrows(InvalidPictureException.class, () -> KolorsImage.read(png, "upload", none));
    assertEquals(
        "[image] upload is 65536x65536 pixels, which are more than an array can hold.",
        e.getMessage());
    byte[] huge = withSize(file("rgb.png"), -1, -1);
    assertTrue(fault(huge).contains("is 4294967295x4294967295 pixels"), fault(huge));
  }

  @Test
  void aStreamIsReadToItsEndAndLeftOpen() throws IOException {
    boolean[] closed = {false};
    InputStream in =
        new ByteArrayInputStream(file("rgb.png")) {
          @Override
          public void close() {
            closed[0] = true;
          }
        };
    assertEquals(read(file("rgb.png")), KolorsImage.read(in, "upload", PictureLimits.DEFAULT));
    assertFalse(closed[0]);
    assertEquals(-1, in.read());
  }

  @Test
  void aFaultOfTheStreamIsNotOneOfThePicture() throws IOException {
    IOException gone = new IOException("the client has gone");
    byte[] png = file("rgb.png");
    InputStream in =
        new InputStream() {
          private int at;

          @Override
          public int read() throws IOException {
            if (at == 50) {
              throw gone;
            }
            return png[at++] & 255;
          }
        };
    IOException thrown =
        assertThrows(
            IOException.class, () -> KolorsImage.read(in, "upload", PictureLimits.DEFAULT));
    assertSame(gone, thrown);
    InputStream cut = new ByteArrayInputStream(png, 0, 50);
    assertThrows(
        InvalidPictureException.class,
        () -> KolorsImage.read(cut, "upload", PictureLimits.DEFAULT));
  }

  @Test
  void aStreamWithoutEndIsLeftAfterTheLongestLength() {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 7;
          }
        };
    InvalidPictureException e =
        assertThrows(
            InvalidPictureException.class,
            () -> KolorsImage.read(endless, "upload", PictureLimits.DEFAULT.withMaxBytes(1000)));
    assertEquals("[image] upload is longer than 1,000 bytes, which are the most.", e.getMessage());
  }

  @Test
  void aFileThatIsTooLongIsNotRead() throws IOException {
    Path file = Files.write(folder.resolve("long.png"), file("rgb.png"));
    PictureLimits limits = PictureLimits.DEFAULT.withMaxBytes(305);
    String message =
        assertThrows(InvalidPictureException.class, () -> KolorsImage.read(file, limits))
            .getMessage();
    assertEquals("[image] " + file + " is longer than 305 bytes, which are the most.", message);
    assertEquals("KolorsImage[11x7]", KolorsImage.read(file, limits.withMaxBytes(306)).toString());
  }

  @Test
  void aMissingFileAndAFolderAreNoFaultsOfAPicture() {
    IOException missing =
        assertThrows(
            InvalidFileException.class, () -> KolorsImage.read(folder.resolve("none.png")));
    assertFalse(missing instanceof InvalidPictureException);
    assertThrows(InvalidFileException.class, () -> KolorsImage.read(folder));
  }

  @Test
  void theNameOfAnUploadIsRepeatedOnOneLineAndNotWithoutEnd() {
    String name = "a\r\nb" + "c".repeat(5000);
    InvalidPictureException e =
        assertThrows(
            InvalidPictureException.class,
            () -> KolorsImage.read(new byte[3], name, PictureLimits.DEFAULT));
    assertTrue(e.getMessage().startsWith("[image] a??bccc"), e.getMessage());
    assertTrue(e.getMessage().length() < 1200, e.getMessage());
  }

  @Test
  void limitsBelowOneAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> PictureLimits.DEFAULT.withMaxPixels(0));
    assertThrows(IllegalArgumentException.class, () -> PictureLimits.DEFAULT.withMaxBytes(0));
  }

  /** The header with another size, and its checksum. */
  private static byte[] withSize(byte[] png, int width, int height) {
    CRC32 sum = new CRC32();
    ByteBuffer.wrap(png).putInt(16, width).putInt(20, height);
    sum.update(png, 12, 17);
    ByteBuffer.wrap(png).putInt(29, (int) sum.getValue());
    return png;
  }

  /** Where a marker of a JPEG file has its second byte. */
  private static int indexOf(byte[] jpeg, int marker) {
    int at = 1;
    while (jpeg[at - 1] != (byte) 0xFF || jpeg[at] != (byte) marker) {
      at++;
    }
    return at;
  }

  private static byte[] file(String name) {
    return fixture.bytes("input.file." + name);
  }

  private static String fault(byte[] file) {
    return assertThrows(InvalidPictureException.class, () -> read(file)).getMessage();
  }

  private static KolorsImage read(byte[] file) throws InvalidPictureException {
    return KolorsImage.read(file, "upload", PictureLimits.DEFAULT);
  }
}
