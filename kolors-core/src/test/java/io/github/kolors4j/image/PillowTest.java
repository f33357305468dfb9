package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.awt.Color;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against what Pillow and diffusers' VaeImageProcessor made of the same pictures. */
class PillowTest {
  private static Fixture fixture;

  @TempDir Path folder;

  @BeforeAll
  static void open() throws IOException {
    fixture = Fixture.open("image/pictures");
  }

  @AfterAll
  static void close() {
    fixture.close();
  }

  @ParameterizedTest
  @CsvSource({"64,48", "10,7", "37,5", "9,23", "1,1", "128,23", "3,100", "38,24"})
  void resizesByteForByteAsPillow(int width, int height) {
    KolorsImage expected = picture("output.resized." + width + "x" + height);
    assertEquals(expected, picture("input.picture").resize(width, height));
  }

  @Test
  void aPictureOfTheSizeIsLeftAsItIs() {
    KolorsImage picture = picture("input.picture");
    assertSame(picture, picture.resize(picture.width(), picture.height()));
  }

  @ParameterizedTest
  @CsvSource({"40,24", "16,32"})
  void preparesBitForBitAsDiffusers(int width, int height) {
    try (ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      Tensor sample =
          VaeImageProcessor.preprocess(workspace, picture("input.picture"), width, height);
      assertEquals(Shape.of(1, height, width, 3), sample.shape());
      Tensor expected = fixture.tensor(workspace, "output.prepared." + width + "x" + height);
      assertArrayEquals(expected.toArray(), sample.toArray());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rgb.png",
        "rgba.png",
        "grey.png",
        "grey_alpha.png",
        "black_and_white.png",
        "palette.png",
        "palette_transparent.png",
        "colour_key.png",
        "grey_key.png",
        "rgb_16.png",
        "rgba_16.png",
        "rgb.bmp",
        "palette.gif",
        "rgb.jpg",
        "grey.jpg",
        "orientation_6.jpg",
        "orientation_1.png",
        "orientation_2.png",
        "orientation_3.png",
        "orientation_4.png",
        "orientation_5.png",
        "orientation_6.png",
        "orientation_7.png",
        "orientation_8.png"
      })
  void readsAFileAsPillow(String name) throws IOException {
    assertEquals(picture("output.file." + name), read(name));
  }

  @Test
  void of16BitsOfGreyTheHigherEightAreTaken() throws IOException {
    BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
    image.getRaster().setPixels(0, 0, 2, 1, new int[] {0x1234, 0xFEDC});
    Path file = folder.resolve("grey.png");
    ImageIO.write(image, "png", file.toFile());
    byte[] expected = {0x12, 0x12, 0x12, (byte) 0xFE, (byte) 0xFE, (byte) 0xFE};
    assertArrayEquals(expected, KolorsImage.read(file).rgb());
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        BufferedImage.TYPE_INT_RGB,
        BufferedImage.TYPE_INT_ARGB,
        BufferedImage.TYPE_INT_BGR,
        BufferedImage.TYPE_3BYTE_BGR,
        BufferedImage.TYPE_4BYTE_ABGR,
        BufferedImage.TYPE_INT_ARGB_PRE
      })
  void aBufferedImageKeepsItsColours(int type) {
    BufferedImage image = new BufferedImage(2, 1, type);
    image.setRGB(0, 0, new Color(1, 2, 253).getRGB());
    image.setRGB(1, 0, new Color(200, 100, 50).getRGB());
    byte[] expected = {1, 2, (byte) 253, (byte) 200, 100, 50};
    assertArrayEquals(expected, KolorsImage.of(image).rgb());
    BufferedImage part = image.getSubimage(1, 0, 1, 1);
    assertArrayEquals(Arrays.copyOfRange(expected, 3, 6), KolorsImage.of(part).rgb());
  }

  /** The inks of Java 2D have a gamma of their own. */
  @Test
  void inksBecomeTheColoursThatPillowMakesOfThem() {
    ColorSpace inks = new Inks();
    ColorModel model =
        new ComponentColorModel(inks, false, false, Transparency.OPAQUE, DataBuffer.TYPE_BYTE);
    WritableRaster raster = model.createCompatibleWritableRaster(2, 1);
    raster.setPixels(0, 0, 2, 1, new int[] {0, 128, 255, 0, 10, 20, 30, 100});
    byte[] expected = {(byte) 255, 127, 0, (byte) 149, (byte) 143, (byte) 137};
    assertArrayEquals(
        expected, KolorsImage.of(new BufferedImage(model, raster, false, null)).rgb());
  }

  /** A colour space that only says what it is. */
  private static final class Inks extends ColorSpace {
    private static final long serialVersionUID = 1;

    Inks() {
      super(ColorSpace.TYPE_CMYK, 4);
    }

    @Override
    public float[] toRGB(float[] values) {
      throw new AssertionError("not asked");
    }

    @Override
    public float[] fromRGB(float[] values) {
      throw new AssertionError("not asked");
    }

    @Override
    public float[] toCIEXYZ(float[] values) {
      throw new AssertionError("not asked");
    }

    @Override
    public float[] fromCIEXYZ(float[] values) {
      throw new AssertionError("not asked");
    }
  }

  @Test
  void aFileThatIsNoPictureIsNamedInOneSentence() throws IOException {
    Path missing = folder.resolve("none.png");
    assertEquals("[image] " + missing + " does not exist.", fault(missing));
    assertEquals(
        "[image] " + folder + " is a folder: give the name of a picture file.", fault(folder));
    Path text = Files.writeString(folder.resolve("text.png"), "no picture");
    assertTrue(fault(text).startsWith("[image] " + text + " is no picture that can be read: "));
    Path empty = Files.createFile(folder.resolve("empty.png"));
    assertTrue(fault(empty).startsWith("[image] " + empty + " is no picture that can be read: "));
    byte[] png = fixture.bytes("input.file.rgb.png");
    for (int length : List.of(8, 20, 33, 60, png.length / 2)) {
      Path part = Files.write(folder.resolve("part.png"), Arrays.copyOf(png, length));
      assertEquals("[image] " + part + " is cut short.", fault(part));
    }
  }

  @Test
  void aFileThatUnpacksToTooMuchIsRefused() throws IOException {
    byte[] png = fixture.bytes("input.file.rgb.png");
    png[16 + 1] = 1; // 65,536 and some columns
    png[20 + 1] = 1;
    CRC32 sum = new CRC32();
    sum.update(png, 12, 17);
    ByteBuffer.wrap(png).putInt(29, (int) sum.getValue());
    Path file = Files.write(folder.resolve("bomb.png"), png);
    assertEquals(
        "[image] " + file + " is 65547x65543 pixels: 178,956,970 in all are the most.",
        fault(file));
  }

  @Test
  void noSizeBelowOnePixelCanBeAskedFor() {
    KolorsImage picture = picture("input.picture");
    assertEquals(
        "[image] 37x23 pixels cannot be resized to 0x5: 1 is the least, and 2^31-1 bytes the most.",
        assertThrows(IllegalArgumentException.class, () -> picture.resize(0, 5)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> picture.resize(5, -1));
    assertThrows(IllegalArgumentException.class, () -> picture.resize(1 << 15, 1 << 15));
  }

  private String fault(Path file) {
    return assertThrows(IOException.class, () -> KolorsImage.read(file)).getMessage();
  }

  private KolorsImage read(String name) throws IOException {
    return KolorsImage.read(Files.write(folder.resolve(name), fixture.bytes("input.file." + name)));
  }

  private static KolorsImage picture(String key) {
    int[] dims = fixture.dims(key);
    return KolorsImage.of(dims[1], dims[0], fixture.bytes(key));
  }
}
