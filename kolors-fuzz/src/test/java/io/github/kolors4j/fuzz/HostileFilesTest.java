package io.github.kolors4j.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are made to do harm, kind by kind: what chance would find late. */
class HostileFilesTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir Path directory;

  /** Opens a file that a checkpoint has under a name of its own. */
  @FunctionalInterface
  interface Opener {
    void open(Path file) throws IOException;
  }

  /**
   * A door to a file.
   *
   * @param name the file's
   * @param opener of the file
   */
  record Door(String name, Opener opener) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Door> doors() {
    return List.of(
        new Door("x.safetensors", file -> SafetensorsFile.open(file).close()),
        new Door("x.index.json", file -> ShardedSafetensors.openIndex(file).close()),
        new Door("config.json", JsonConfig::read),
        new Door("scheduler_config.json", file -> Schedulers.load(file.getParent())),
        new Door("tokenizer.model", file -> ChatGlmTokenizer.load(file.getParent())),
        new Door("tokenizer_config.json", file -> ChatGlmTokenizer.load(file.getParent())));
  }

  @ParameterizedTest
  @MethodSource("doors")
  void aPipeIsRefusedAndNotWaitedFor(Door door) throws Exception {
    Path pipe = directory.resolve(door.name);
    Process made = new ProcessBuilder("mkfifo", pipe.toString()).start();
    assertEquals(0, made.waitFor());
    assertRefused(door, pipe);
  }

  @ParameterizedTest
  @MethodSource("doors")
  void aLinkToADeviceWithoutAnEndIsRefused(Door door) throws IOException {
    assertRefused(
        door, Files.createSymbolicLink(directory.resolve(door.name), Path.of("/dev/zero")));
  }

  @ParameterizedTest
  @MethodSource("doors")
  void aLinkToItselfIsRefused(Door door) throws IOException {
    Path link = directory.resolve(door.name);
    if (!door.name.equals("tokenizer_config.json")) { // which need not be there
      assertRefused(door, Files.createSymbolicLink(link, link));
    }
  }

  @ParameterizedTest
  @MethodSource("doors")
  void aFolderInPlaceOfAFileIsRefused(Door door) throws IOException {
    assertRefused(door, Files.createDirectory(directory.resolve(door.name)));
  }

  @ParameterizedTest
  @MethodSource("doors")
  void aFileOfAllTheSameBytesIsRefused(Door door) throws IOException {
    for (int value = 0; value < 256; value++) {
      byte[] bytes = new byte[3_000];
      Arrays.fill(bytes, (byte) value);
      assertRefused(door, Files.write(directory.resolve(door.name), bytes));
    }
  }

  private static void assertRefused(Door door, Path file) {
    InvalidFileException e =
        assertTimeoutPreemptively(
            SOON, () -> assertThrows(InvalidFileException.class, () -> door.opener.open(file)));
    assertTrue(e.getMessage().contains(door.name), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret.safetensors",
        "..",
        ".",
        "/etc/hostname",
        "a/b.safetensors",
        "a\\\\b.safetensors",
        "C:b.safetensors",
        "\\u0000",
        " ",
        ""
      })
  void anIndexNamesNoFileOutsideOfItsFolder(String name) throws IOException {
    Path folder = Files.createDirectory(directory.resolve("model"));
    Path index = folder.resolve("m.index.json");
    Files.writeString(index, "{\"weight_map\": {\"a\": \"" + name + "\"}}");
    String message =
        assertThrows(InvalidFileException.class, () -> ShardedSafetensors.openIndex(index))
            .getMessage();
    assertTrue(message.contains("a shard must be a file of the index's own directory"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{\"a\":", "[{\"a\":", "{\"\":[["})
  void jsonIsNotReadDeeperThanTheStackIsHigh(String opening) throws IOException {
    Path file = directory.resolve("config.json");
    Files.writeString(file, "{\"x\": " + opening.repeat((1 << 19) / opening.length()));
    String message =
        assertThrows(InvalidFileException.class, () -> JsonConfig.read(file)).getMessage();
    assertTrue(message.contains("nested deeper than 64 levels"), message);
  }

  @Test
  void aHeaderOfTheGreatestLengthThatTheFileDoesNotHaveTakesNoMemory() throws IOException {
    Path file = directory.resolve("x.safetensors");
    for (long length : new long[] {100_000_000, 100_000_001, Long.MAX_VALUE, Long.MIN_VALUE, -1}) {
      ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
      Files.write(file, bytes.put((byte) '{').array());
      assertThrows(InvalidFileException.class, () -> SafetensorsFile.open(file));
    }
  }

  @Test
  void aPngWithAThousandPackedTextsUnpacksNoneInVain() throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    png.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10});
    chunk(png, "IHDR", 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    text.writeBytes("XML:com.adobe.xmp\0\0".getBytes(StandardCharsets.ISO_8859_1));
    text.writeBytes(deflated(new byte[1 << 20]));
    for (int i = 0; i < 1_000; i++) {
      chunk(png, "zTXt", ints(text.toByteArray()));
    }
    chunk(png, "IDAT", ints(deflated(new byte[] {0, 77})));
    chunk(png, "IEND");
    FuzzTarget target =
        new FuzzTarget(
            "png",
            "bomb.png",
            List.of(png.toByteArray()),
            new ByteMutator(),
            file -> KolorsImage.read(file, "bomb.png", PictureLimits.DEFAULT),
            8 << 20);
    assertTrue(target.check(png.toByteArray()).wasRead());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void aBmpWithoutItsPixelsIsRefusedBeforeThereIsRoomForThem(int compression) throws IOException {
    ByteBuffer bmp = ByteBuffer.allocate(1_100).order(ByteOrder.LITTLE_ENDIAN);
    bmp.put((byte) 'B').put((byte) 'M').putInt(1_100).putInt(0).putInt(1_078);
    int bits = compression == 0 ? 24 : compression == 3 ? 32 : 8 / compression;
    bmp.putInt(40).putInt(2_500).putInt(2_000).putShort((short) 1).putShort((short) bits);
    bmp.putInt(compression);
    assertRefusedWithLittle("bomb.bmp", bmp.array());
  }

  @Test
  void aTiffWithHugeTilesIsRefusedBeforeThereIsRoomForThem() throws IOException {
    for (int extent : new int[] {16_000, 65_520, 1 << 24, Integer.MAX_VALUE - 15}) {
      assertRefusedWithLittle("tiles.tif", tiff(extent, extent, 1));
      assertRefusedWithLittle("strips.tif", tiff(extent, 0, 5));
    }
  }

  /** 4x4 grey pixels in tiles of another size, or with as many bits and samples as it says. */
  private static byte[] tiff(int tile, int height, int compression) {
    ByteBuffer tiff = ByteBuffer.allocate(300).order(ByteOrder.LITTLE_ENDIAN);
    tiff.put((byte) 'I').put((byte) 'I').putShort((short) 42).putInt(8).putShort((short) 10);
    int[][] fields = {
      {256, 4, 4},
      {257, 4, 4},
      {258, 3, 8},
      {259, 3, compression},
      {262, 3, 1},
      {277, 3, 1},
      {height > 0 ? 322 : 273, 4, height > 0 ? tile : 200},
      {height > 0 ? 323 : 278, 4, height > 0 ? height : tile},
      {height > 0 ? 324 : 279, 4, height > 0 ? 200 : tile},
      {height > 0 ? 325 : 284, 4, height > 0 ? tile : 1}
    };
    for (int[] field : fields) {
      tiff.putShort((short) field[0]).putShort((short) field[1]).putInt(1).putInt(field[2]);
    }
    return tiff.array();
  }

  @Test
  void aJpegOfMoreScansThanAnyEncoderMakesIsRefused() throws IOException {
    byte[] jpeg = progressive(4_000, 4_000, 800);
    assertRefusedWithLittle("scans.jpg", jpeg);
    assertEquals(
        "KolorsImage[64x48]",
        KolorsImage.read(progressive(64, 48, 800), "small.jpg", PictureLimits.DEFAULT).toString());
  }

  @Test
  void aTiffWithAJpegMuchLargerThanItselfIsRefused() throws IOException {
    byte[] jpeg = progressive(20_000, 5_000, 5);
    byte[] head = tiff(0, 0, 7);
    ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).putInt(10 + 8 * 12 + 8, jpeg.length);
    byte[] tiff = Arrays.copyOf(head, 200 + jpeg.length);
    System.arraycopy(jpeg, 0, tiff, 200, jpeg.length);
    assertRefusedWithLittle("jpeg.tif", tiff);
  }

  /** A grey JPEG of many scans in a few bytes: each says that all of its blocks are empty. */
  private static byte[] progressive(int width, int height, int scans) {
    ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
    jpeg.writeBytes(new byte[] {(byte) 0xFF, (byte) 0xD8});
    int[] quantization = new int[65];
    Arrays.fill(quantization, 1, 65, 1);
    segment(jpeg, 0xDB, quantization);
    segment(jpeg, 0xC2, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0);
    int[] huffman = new int[18];
    huffman[1] = 1; // one code of one bit
    segment(jpeg, 0xC4, huffman);
    huffman[0] = 0x10;
    huffman[17] = 0xE0; // the end of a band, for as many blocks as 14 more bits say
    segment(jpeg, 0xC4, huffman);
    long blocks = (width + 7L) / 8 * ((height + 7) / 8);
    segment(jpeg, 0xDA, 1, 1, 0, 0, 0, 0);
    jpeg.writeBytes(new byte[(int) (blocks / 8 + 1)]);
    for (int scan = 0; scan < scans; scan++) {
      int bit = 13 - scan % 14;
      int coefficient = 1 + scan / 14;
      segment(
          jpeg, 0xDA, 1, 1, 0, coefficient, coefficient, bit == 13 ? 13 : ((bit + 1) << 4) | bit);
      StringBuilder bits = new StringBuilder();
      for (long left = blocks; left > 0; left -= 32_767) {
        bits.append('0').append("1".repeat(14));
      }
      bits.append("1".repeat(7 - (bits.length() + 7) % 8));
      for (int at = 0; at < bits.length(); at += 8) {
        int value = Integer.parseInt(bits.substring(at, at + 8), 2);
        jpeg.write(value);
        if (value == 0xFF) {
          jpeg.write(0);
        }
      }
    }
    jpeg.writeBytes(new byte[] {(byte) 0xFF, (byte) 0xD9});
    return jpeg.toByteArray();
  }

  private static void segment(ByteArrayOutputStream jpeg, int marker, int... data) {
    int length = data.length + 2;
    for (int value : new int[] {0xFF, marker, length >> 8, length & 255}) {
      jpeg.write(value);
    }
    for (int value : data) {
      jpeg.write(value);
    }
  }

  private static void assertRefusedWithLittle(String name, byte[] file) throws IOException {
    FuzzTarget target =
        new FuzzTarget(
            name,
            name,
            List.of(file),
            new ByteMutator(),
            bytes -> {
              KolorsImage read = KolorsImage.read(bytes, name, PictureLimits.DEFAULT);
              throw new AssertionError("was read: " + read);
            },
            2 << 20);
    target.check(file);
  }

  private static void chunk(ByteArrayOutputStream png, String type, int... data)
      throws IOException {
    ByteArrayOutputStream chunk = new ByteArrayOutputStream();
    chunk.writeBytes(type.getBytes(StandardCharsets.US_ASCII));
    for (int value : data) {
      chunk.write(value);
    }
    CRC32 sum = new CRC32();
    sum.update(chunk.toByteArray());
    DataOutputStream out = new DataOutputStream(png);
    out.writeInt(data.length);
    out.write(chunk.toByteArray());
    out.writeInt((int) sum.getValue());
  }

  private static byte[] deflated(byte[] bytes) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (DeflaterOutputStream out = new DeflaterOutputStream(packed)) {
      out.write(bytes);
    }
    return packed.toByteArray();
  }

  private static int[] ints(byte[] bytes) {
    int[] ints = new int[bytes.length];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = bytes[i];
    }
    return ints;
  }
}
