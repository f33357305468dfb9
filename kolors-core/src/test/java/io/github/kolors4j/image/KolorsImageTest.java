package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KolorsImageTest {
  private static final KolorsImage IMAGE = random(13, 7);

  @TempDir Path folder;

  @Test
  void aSavedPictureReadsBackToItsBytes() throws IOException {
    Path file = folder.resolve("图 1.png");
    IMAGE.save(file);
    assertSamePixels(ImageIO.read(file.toFile()));
    assertEquals(List.of(file), list(), "nothing else is left in the folder");
  }

  @Test
  void aPictureReplacesTheFileThatHasItsName() throws IOException {
    Path file = Files.writeString(folder.resolve("a.png"), "something else");
    IMAGE.save(file);
    assertSamePixels(ImageIO.read(file.toFile()));
  }

  @Test
  void aLinkIsWrittenThrough() throws IOException {
    Path file = Files.createFile(folder.resolve("a.png"));
    Path link = Files.createSymbolicLink(folder.resolve("link.png"), file);
    IMAGE.save(link);
    assertTrue(Files.isSymbolicLink(link));
    assertSamePixels(ImageIO.read(file.toFile()));
  }

  @Test
  void aLinkToAFileThatIsNotThereYetIsWrittenThrough() throws IOException {
    Path deep = Files.createDirectory(folder.resolve("deep"));
    Path link = Files.createSymbolicLink(folder.resolve("link.png"), Path.of("deep/next.png"));
    Path next = Files.createSymbolicLink(deep.resolve("next.png"), Path.of("../a.png"));
    IMAGE.save(link);
    assertTrue(Files.isSymbolicLink(link) && Files.isSymbolicLink(next));
    assertSamePixels(ImageIO.read(folder.resolve("a.png").toFile()));
  }

  @Test
  void aCircleOfLinksIsAFault() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link.png"), Path.of("link.png"));
    IOException circle = assertThrows(IOException.class, () -> IMAGE.save(link));
    assertEquals(
        "[image] cannot save " + link + ": more than 40 links, one behind the other.",
        circle.getMessage());
  }

  @Test
  void aFullDiskIsReportedWithTheFile() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "a device of Linux");
    IOException fault = assertThrows(IOException.class, () -> IMAGE.save(full));
    assertEquals("[image] cannot save /dev/full: No space left on device.", fault.getMessage());
  }

  @Test
  void aFolderThatLetsNothingInIsReportedWithTheFileAndKeepsWhatItHas() throws IOException {
    Path file = Files.writeString(folder.resolve("a.png"), "something else");
    assumeTrue(folder.toFile().setWritable(false));
    try {
      assumeTrue(!Files.isWritable(folder), "root writes everywhere");
      IOException fault = assertThrows(IOException.class, () -> IMAGE.save(file));
      assertEquals("[image] cannot save " + file + ": permission denied.", fault.getMessage());
      assertEquals("something else", Files.readString(file));
    } finally {
      assertTrue(folder.toFile().setWritable(true));
    }
  }

  @Test
  void aMissingFolderOrAFolderAsAFileIsNamed() {
    IOException missing =
        assertThrows(IOException.class, () -> IMAGE.save(folder.resolve("no/a.png")));
    assertTrue(missing.getMessage().endsWith("no does not exist."), missing.getMessage());
    IOException directory = assertThrows(IOException.class, () -> IMAGE.save(folder));
    assertEquals(
        "[image] " + folder + " is a folder: give the name of a file.", directory.getMessage());
  }

  @Test
  void aStreamGetsThePngAndStaysOpen() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    IMAGE.writeTo(bytes);
    assertSamePixels(ImageIO.read(new ByteArrayInputStream(bytes.toByteArray())));
  }

  @Test
  void theBytesOfAPictureCannotBeChangedFromOutside() {
    byte[] given = {1, 2, 3};
    KolorsImage image = KolorsImage.of(1, 1, given);
    given[0] = 9;
    image.rgb()[1] = 9;
    assertArrayEquals(new byte[] {1, 2, 3}, image.rgb());
    assertEquals(KolorsImage.of(1, 1, new byte[] {1, 2, 3}), image);
    assertEquals(KolorsImage.of(1, 1, new byte[] {1, 2, 3}).hashCode(), image.hashCode());
    assertFalse(image.equals(IMAGE));
  }

  @Test
  void bytesThatDoNotFillThePictureAreRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> KolorsImage.of(2, 2, new byte[11]));
    assertEquals("[image] 11 bytes do not make 2x2 pixels of 3 bytes each.", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> KolorsImage.of(0, 2, new byte[0]));
  }

  @Test
  void valuesAreClampedAndRoundedHalfToEven() {
    assertEquals(0, VaeImageProcessor.toByte(-1));
    assertEquals(255, VaeImageProcessor.toByte(1));
    assertEquals(0, VaeImageProcessor.toByte(-1e30f));
    assertEquals(255, VaeImageProcessor.toByte(Float.POSITIVE_INFINITY));
    assertEquals(0, VaeImageProcessor.toByte(Float.NaN));
    assertEquals(128, VaeImageProcessor.toByte(0), "127.5 rounds to the even 128");
    for (int value = 0; value <= 255; value++) {
      assertEquals(value, VaeImageProcessor.toByte(value / 127.5f - 1));
    }
  }

  @Test
  void oneOfABatchIsTaken() {
    try (ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      Tensor sample = workspace.copyOf(new float[] {-1, -1, -1, 1, -1, 1}, 2, 1, 1, 3);
      assertArrayEquals(new byte[] {-1, 0, -1}, VaeImageProcessor.postprocess(sample, 1).rgb());
    }
  }

  private void assertSamePixels(BufferedImage read) {
    assertEquals(IMAGE.width(), read.getWidth());
    assertEquals(IMAGE.height(), read.getHeight());
    byte[] rgb = IMAGE.rgb();
    for (int y = 0, i = 0; y < IMAGE.height(); y++) {
      for (int x = 0; x < IMAGE.width(); x++, i += 3) {
        int expected = (rgb[i] & 255) << 16 | (rgb[i + 1] & 255) << 8 | rgb[i + 2] & 255;
        assertEquals(expected, read.getRGB(x, y) & 0xffffff);
      }
    }
  }

  private List<Path> list() throws IOException {
    try (var files = Files.list(folder)) {
      return files.toList();
    }
  }

  private static KolorsImage random(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    new Random(5).nextBytes(rgb);
    return KolorsImage.of(width, height, rgb);
  }
}
