package io.github.kolors4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PictureTextTest {
  private static final KolorsImage PICTURE = picture();

  private static final Map<String, String> TEXTS = texts();

  @TempDir private Path folder;

  private static KolorsImage picture() {
    byte[] rgb = new byte[64 * 48 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (i / 50);
    }
    return KolorsImage.of(64, 48, rgb);
  }

  private static Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("parameters", "一只瓢虫\nSteps: 50, Sampler: Euler, Seed: 0");
    texts.put("kolors4j", "{\"plain\":\"é\"}");
    return texts;
  }

  private Path saved(String name, Map<String, String> texts) throws IOException {
    Path file = folder.resolve(name);
    PICTURE.save(file, ImageFormat.of(file).orElseThrow(), texts);
    return file;
  }

  @Test
  void textsComeBackFromBothFormats() throws IOException {
    assertEquals(TEXTS, PictureText.read(saved("a.png", TEXTS)));
    assertEquals(TEXTS, PictureText.read(saved("a.jpg", TEXTS)));
    assertEquals(Map.of(), PictureText.read(saved("b.png", Map.of())));
    assertEquals(Map.of(), PictureText.read(saved("b.jpg", Map.of())));
  }

  @Test
  void pixelsDoNotDependOnTexts() throws IOException {
    assertEquals(PICTURE, KolorsImage.read(saved("a.png", TEXTS)));
    assertEquals(
        KolorsImage.read(saved("b.jpg", Map.of())), KolorsImage.read(saved("a.jpg", TEXTS)));
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    PICTURE.writeTo(plain);
    assertArrayEquals(plain.toByteArray(), Files.readAllBytes(saved("c.png", Map.of())));
  }

  /** ISO 15948, 11.3.4: Latin-1 in tEXt, anything else as UTF-8 in iTXt, before the pixels. */
  @Test
  void chunksAreWhatTheStandardAsksFor() throws IOException {
    String bytes =
        new String(Files.readAllBytes(saved("a.png", TEXTS)), StandardCharsets.ISO_8859_1);
    String utf8 =
        new String(
            TEXTS.get("parameters").getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    int international = bytes.indexOf("iTXtparameters\0\0\0\0\0" + utf8);
    int latin = bytes.indexOf("tEXtkolors4j\0{\"plain\":\"é\"}");
    assertTrue(international == 8 + 25 + 4, "at " + international);
    assertTrue(latin > international && latin < bytes.indexOf("IDAT"), "at " + latin);
  }

  /** CIPA DC-008, 4.6.6: the tag UserComment, its character code and UTF-16. */
  @Test
  void aJpegsParametersAreExifsUserComment() throws IOException {
    byte[] jpeg = Files.readAllBytes(saved("a.jpg", TEXTS));
    String bytes = new String(jpeg, StandardCharsets.ISO_8859_1);
    int exif = bytes.indexOf("Exif\0\0MM\0*");
    assertTrue(exif > 0, "no Exif");
    assertTrue(bytes.startsWith("\u0092\u0086\0\u0007", exif + 6 + 26 + 2), "no UserComment");
    byte[] utf16 = TEXTS.get("parameters").getBytes(StandardCharsets.UTF_16BE);
    assertTrue(
        bytes.startsWith(
            "UNICODE\0" + new String(utf16, StandardCharsets.ISO_8859_1), exif + 6 + 44));
  }

  @Test
  void aJpegIsCloseToThePicture() throws IOException {
    byte[] expected = PICTURE.rgb();
    byte[] actual = KolorsImage.read(saved("a.jpg", Map.of())).rgb();
    double sum = 0;
    for (int i = 0; i < expected.length; i++) {
      sum += Math.abs((expected[i] & 255) - (actual[i] & 255));
    }
    assertTrue(sum / expected.length < 3, "mean distance " + sum / expected.length);
  }

  @Test
  void whatIsLongerThanASegmentIsLeftOutOfAJpeg() throws IOException {
    Map<String, String> texts = Map.of("kolors4j", "x".repeat(70_000));
    assertEquals(Map.of(), PictureText.read(saved("a.jpg", texts)));
    assertEquals(texts, PictureText.read(saved("a.png", texts)));
  }

  @Test
  void aTextOfTwoMillionLettersIsReadAgain() throws IOException {
    Map<String, String> texts = Map.of("kolors4j", "可图".repeat(1_000_000));
    assertEquals(texts, PictureText.read(saved("a.png", texts)));
  }

  @Test
  void formatsAreKnownByTheirNames() {
    assertEquals(Optional.of(ImageFormat.PNG), ImageFormat.of(Path.of("a.b/c.PNG")));
    assertEquals(Optional.of(ImageFormat.JPEG), ImageFormat.of(Path.of("a.jpg")));
    assertEquals(Optional.of(ImageFormat.JPEG), ImageFormat.of(Path.of("图.Jpeg")));
    assertEquals(Optional.empty(), ImageFormat.of(Path.of("a.webp")));
    assertEquals(Optional.empty(), ImageFormat.of(Path.of("png")));
  }

  @Test
  void whatIsNoPictureHasNoTextsAndWhatIsNotThereIsSaid() throws IOException {
    assertEquals(Map.of(), PictureText.read(Files.writeString(folder.resolve("a.txt"), "text")));
    assertEquals(Map.of(), PictureText.read(Files.createFile(folder.resolve("empty.png"))));
    assertThrows(InvalidFileException.class, () -> PictureText.read(folder.resolve("none.png")));
    assertThrows(InvalidFileException.class, () -> PictureText.read(folder));
    byte[] cut = Files.readAllBytes(saved("a.png", TEXTS));
    Path damaged = Files.write(folder.resolve("cut.png"), java.util.Arrays.copyOf(cut, 60));
    assertThrows(InvalidPictureException.class, () -> PictureText.read(damaged));
    byte[] jpeg = Files.readAllBytes(saved("a.jpg", TEXTS));
    for (int length = 0; length < 400; length++) {
      PictureText.read(
          Files.write(folder.resolve("cut.jpg"), java.util.Arrays.copyOf(jpeg, length)));
    }
  }

  @Test
  void aKeywordThatAPngCannotHaveIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> saved("a.png", Map.of("", "x")));
    assertThrows(IllegalArgumentException.class, () -> saved("a.png", Map.of("x".repeat(80), "x")));
  }
}
