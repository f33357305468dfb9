package io.github.kolors4j.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every fault that a header can have, and the sentence that it ends in. */
class HeaderTest {
  @TempDir Path directory;

  private static final String GOOD =
      """
      {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

  // The length in front

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void aFileTooShortForTheLengthIsRefused(int size) throws IOException {
    assertFails(
        new byte[size],
        "has " + size + " bytes but the length of its header takes 8. Incomplete download?");
  }

  @Test
  void aHeaderLongerThanTheFileIsRefusedWithBothNumbers() throws IOException {
    assertFails(
        prefixed(301_112, 4_096),
        "header says 301,112 bytes but the file has 4,096. Incomplete download?");
    assertFails(prefixed(9, 16), "header says 9 bytes but the file has 16. Incomplete download?");
  }

  /** Believing the claim 2,000 times would clear 200 GB of memory: 20 s on a fast machine. */
  @Test
  void aHugeClaimIsRefusedWithoutBeingAllocated() throws IOException {
    Path path = Files.write(directory.resolve("claim"), prefixed(100_000_000, 4_096));
    assertTimeout(
        Duration.ofSeconds(10),
        () -> {
          for (int i = 0; i < 2_000; i++) {
            assertFails(
                path, "header says 100,000,000 bytes but the file has 4,096. Incomplete download?");
          }
        });
  }

  @Test
  void aHeaderOverTheLimitIsRefusedAlsoWhereTheFileHasIt() throws IOException {
    Path path = directory.resolve("limit");
    try (var file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(prefixed(100_000_001, 8));
      file.setLength(100_000_009); // sparse
    }
    assertFails(
        path,
        "header says 100,000,001 bytes: at most 100,000,000 are allowed. Is it a safetensors"
            + " file?");
  }

  @Test
  void aLengthWithTheHighestBitSetIsNotTakenForNegative() throws IOException {
    assertFails(
        prefixed(-1, 16),
        "header says more than 2^63 bytes: at most 100,000,000 are allowed. Is it a safetensors"
            + " file?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PK\3\4\24\0\0\0\b\bdata.pkl | It begins as torch.save's files do (.ckpt, .pt, .bin): convert it to safetensors.",
        "\u0080\2cx12345 | It begins as torch.save's files do (.ckpt, .pt, .bin): convert it to safetensors.",
        "GGUF\3\0\0\0x | It is a GGUF file, which is not read: take the same weights as safetensors.",
        "<!DOCTYPE html> | It begins as a web page does: download the file itself."
      })
  void anotherFormatIsNamedWithTheNextStep(String begin, String said) throws IOException {
    Path path = directory.resolve("other");
    Files.write(path, Arrays.copyOf(begin.getBytes(StandardCharsets.ISO_8859_1), 100));
    IOException e = assertThrows(InvalidFileException.class, () -> SafetensorsFile.open(path));
    assertTrue(e.getMessage().endsWith("bytes: at most 100,000,000 are allowed. " + said));
  }

  // The JSON as such

  @ParameterizedTest
  @ValueSource(strings = {"", " \n", "[]", " []", "\u00a0{}", "\ufeff{}", "null", "\"{}\""})
  void aHeaderThatDoesNotBeginWithABraceIsRefused(String header) throws IOException {
    assertFails(header, 0, "header does not begin with '{'. Is it a safetensors file?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}x", "{}\f", "{}\0", "{},", "{", "{} \u00a0"})
  void onlyWhiteSpaceMayFollowTheHeader(String header) throws IOException {
    assertFails(header, 0, "header does not end with '}' and white space. Corrupt file?");
  }

  /** As safetensors 0.8.0, whose JSON reader passes over it. */
  @ParameterizedTest
  @ValueSource(strings = {" %s", "\n\t%s", "%s\n", "%s\t ", "%s\r\n", "%s  "})
  void whiteSpaceMayStandAroundTheHeader(String header) throws IOException {
    Path path = RawFile.write(directory.resolve("x"), header.formatted(GOOD), 8);
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(List.of(2L), file.find("a").orElseThrow().shape());
      assertEquals(8, file.data("a").byteSize());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}{}",
        "{} {}",
        "{}}",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\"=1}",
        "{,}",
        "{//\n}",
        "{/**/}",
        "{#\n}",
        "{\"a\":TRUE}",
        "{\"a\":NaN}",
        "{\"a\":;}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\u0001\"}",
        "{\"a\":\"\\'\"}",
        "{\"a\":01}",
        "{\"a\":{\"shape\":[1,]}}",
        "{\"a\":{\"shape\":[,1]}}",
        "{\"a\":{\"shape\":[1;2]}}",
        "{\"a\":{\"shape\":[NaN]}}",
        "{\"a\":{\"shape\":[-Infinity]}}",
        "{\"a\":{\"shape\":[01]}}",
        "{\"a\":{\"shape\":[+1]}}"
      })
  void whatIsNotStrictJsonIsRefused(String header) throws IOException {
    var e = failure(RawFile.bytes(header, 0));
    boolean malformed = e.getMessage().contains(": header is not valid JSON at line ");
    boolean misplaced = e.getMessage().contains(": header has ");
    assertTrue(malformed || misplaced, e.getMessage());
    assertTrue(!e.getMessage().contains("\n"), e.getMessage());
  }

  @Test
  void jsonThatEndsInTheMiddleIsRefused() throws IOException {
    assertFails(
        """
        {"__metadata__":{}""",
        0,
        "header ends in the middle, at line 1 column 19.");
  }

  @Test
  void malformedUtf8IsRefused() throws IOException {
    byte[] header = GOOD.getBytes(StandardCharsets.ISO_8859_1);
    header[2] = (byte) 0xC0;
    assertFails(RawFile.bytes(header, 8), "header is not valid UTF-8.");
  }

  @Test
  void halfASurrogatePairIsRefused() throws IOException {
    String expected = "header has half a surrogate pair in a string at ";
    for (String half : new String[] {"\\ud83d", "\\ude00", "\\ud83dx", "\\ude00\\ud83d"}) {
      var e = failure(RawFile.bytes("{\"__metadata__\":{\"" + half + "\":\"\"}}", 0));
      assertTrue(e.getMessage().contains(expected), e.getMessage());
    }
    String pair = "{\"__metadata__\":{\"k\":\"\\ud83d\\ude00\"}}";
    try (var file = SafetensorsFile.open(RawFile.write(directory.resolve("pair"), pair, 0))) {
      assertEquals("😀", file.metadata().get("k"));
    }
  }

  @Test
  void deepNestingIsRefused() throws IOException {
    String deep = "{\"a\":{\"shape\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}}";
    assertFails(deep, 0, "header has an array at \"$.a.shape[0]\" where a number belongs.");
  }

  @Test
  void aKeyThatComesTwiceIsRefusedAlsoWhenItIsEscaped() throws IOException {
    String empty = "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    assertFails(
        "{\"a\":" + empty + ",\"\\u0061\":" + empty + "}", 0, "header has the key \"a\" twice.");
    assertFails(
        "{\"__metadata__\":{},\"__metadata__\":{}}",
        0,
        "header has the key \"__metadata__\" twice.");
    assertFails(
        "{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0, "header has the key \"k\" twice.");
    assertFails(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"shape\":[0],\"data_offsets\":[0,0]}}",
        0,
        "header has the key \"shape\" twice.");
  }

  // Fields

  @Test
  void metadataMustBeAMapOfStrings() throws IOException {
    assertFails(
        "{\"__metadata__\":{\"k\":1}}",
        0,
        "header has a number at \"$.__metadata__.k\" where a string belongs.");
    assertFails(
        "{\"__metadata__\":[]}",
        0,
        "header has an array at \"$.__metadata__\" where an object belongs.");
    assertFails(
        "{\"__metadata__\":nil}",
        0,
        "header is not valid JSON at line 1 column 18: a value belongs there.");
  }

  @Test
  void metadataMayBeNull() throws IOException {
    Path path = RawFile.write(directory.resolve("x"), "{\"__metadata__\":null}", 0);
    try (var file = SafetensorsFile.open(path)) {
      assertEquals(Map.of(), file.metadata());
    }
  }

  /**
   * The dtypes that safetensors 0.8.0 has beside PyTorch's, and so many values as fill 24 bytes.
   */
  @ParameterizedTest
  @CsvSource({
    "C64, 3",
    "F8_E8M0, 24",
    "F8_E4M3FNUZ, 24",
    "F8_E5M2FNUZ, 24",
    "F6_E2M3, 32",
    "F6_E3M2, 32",
    "F4, 48"
  })
  void everyDtypeOfTheReferenceIsKnown(String dtype, int count) throws IOException {
    String header =
        GOOD.replace("F32", dtype).replace("[2]", "[" + count + "]").replace("0,8]", "0,24]");
    try (var file = SafetensorsFile.open(RawFile.write(directory.resolve("x"), header, 24))) {
      TensorInfo tensor = file.find("a").orElseThrow();
      assertEquals(dtype, tensor.dtype().name());
      assertEquals(count, tensor.size());
      assertEquals(24, file.data("a").byteSize());
    }
  }

  @Test
  void valuesThatDoNotFillWholeBytesAreRefused() throws IOException {
    assertFails(
        GOOD.replace("F32", "F4").replace("[2]", "[3]").replace("0,8]", "0,2]"),
        2,
        "tensor \"a\", F4 [3], does not fill whole bytes.");
  }

  @Test
  void aGitLfsPointerIsNamedAsOne() throws IOException {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    assertFails(pointer.getBytes(StandardCharsets.UTF_8), GitLfsPointer.FAULT);
    Path index = Files.writeString(directory.resolve("model.safetensors.index.json"), pointer);
    var e = assertThrows(IOException.class, () -> ShardedSafetensors.openIndex(index));
    assertEquals("[safetensors] " + index + ": " + GitLfsPointer.FAULT, e.getMessage());
    var config =
        assertThrows(IOException.class, () -> new JsonFile("config", "c.json").text(index, 1_000));
    assertEquals("[config] c.json: " + GitLfsPointer.FAULT, config.getMessage());
  }

  @Test
  void anUnknownDtypeIsNamedWithItsTensor() throws IOException {
    assertFails(
        GOOD.replace("F32", "F3"),
        8,
        "tensor \"a\" has the unknown dtype \"F3\": known are [F64, F32, F16, BF16, F8_E5M2,"
            + " F8_E4M3, F8_E5M2FNUZ, F8_E4M3FNUZ, F8_E8M0, F6_E3M2, F6_E2M3, F4, C64, I64, I32,"
            + " I16, I8, U64, U32, U16, U8, BOOL].");
  }

  /** As safetensors 0.8.0, which looks at no other. */
  @Test
  void aFieldThatTheFormatDoesNotHaveIsPassedOver() throws IOException {
    String header = GOOD.replace("\"shape\"", "\"stride\":[{\"a\":null}],\"shape\"");
    try (var file = SafetensorsFile.open(RawFile.write(directory.resolve("x"), header, 8))) {
      assertEquals(DType.F32, file.find("a").orElseThrow().dtype());
    }
  }

  @Test
  void aMissingFieldIsNamed() throws IOException {
    assertFails(GOOD.replace("\"dtype\":\"F32\",", ""), 8, "tensor \"a\" has no dtype.");
    assertFails(GOOD.replace("\"shape\":[2],", ""), 8, "tensor \"a\" has no shape.");
    assertFails(
        GOOD.replace(",\"data_offsets\":[0,8]", ""), 8, "tensor \"a\" has no data_offsets.");
  }

  @Test
  void aFieldOfTheWrongKindIsNamed() throws IOException {
    assertFails(
        GOOD.replace("\"F32\"", "32"),
        8,
        "header has a number at \"$.a.dtype\" where a string belongs.");
    assertFails(
        GOOD.replace("[2]", "2"),
        8,
        "header has a number at \"$.a.shape\" where an array belongs.");
    assertFails(
        GOOD.replace("[2]", "[\"2\"]"),
        8,
        "header has a string at \"$.a.shape[0]\" where a number belongs.");
    assertFails(
        GOOD.replace("[2]", "[true]"),
        8,
        "header has a truth value at \"$.a.shape[0]\" where a number belongs.");
    assertFails("{\"a\":[]}", 0, "header has an array at \"$.a\" where an object belongs.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1",
        "-0",
        "2.0",
        "2e0",
        "0.5",
        "1e999",
        "9223372036854775808",
        "99999999999999999999"
      })
  void onlyWholeNumbersAreExtents(String extent) throws IOException {
    assertFails(
        GOOD.replace("[2]", "[" + extent + "]"),
        8,
        "header has "
            + extent
            + " at \"$.a.shape[0]\": only whole numbers from 0 to 2^63-1 are allowed.");
  }

  @Test
  void aNumberOfManyDigitsIsNotRepeatedInFull() throws IOException {
    var e = failure(RawFile.bytes(GOOD.replace("[2]", "[" + "9".repeat(900) + "]"), 8));
    assertTrue(e.getMessage().contains("9999… at"), e.getMessage());
    assertTrue(e.getMessage().length() < 400, e.getMessage());
    var longer = failure(RawFile.bytes(GOOD.replace("[2]", "[" + "9".repeat(9_000) + "]"), 8));
    assertTrue(longer.getMessage().length() < 400, longer.getMessage());
  }

  @Test
  void aLongNameOnSeveralLinesIsShortenedInTheMessage() throws IOException {
    String name = "\\n".repeat(10_000);
    var e = failure(RawFile.bytes(GOOD.replace("\"a\"", "\"" + name + "\""), 9));
    assertTrue(e.getMessage().length() < 600, e.getMessage());
    var named =
        failure(RawFile.bytes(GOOD.replace("\"a\"", "\"" + name + "\"").replace("F32", "F"), 8));
    assertTrue(named.getMessage().contains("\"" + "?".repeat(200) + "…\""), named.getMessage());
  }

  // Places

  @Test
  void offsetsMustBeTwo() throws IOException {
    assertFails(
        GOOD.replace("[0,8]", "[0]"),
        8,
        "tensor \"a\" has 1 data_offsets: there must be 2, begin and end.");
    assertFails(
        GOOD.replace("[0,8]", "[0,4,8]"),
        8,
        "tensor \"a\" has 3 data_offsets: there must be 2, begin and end.");
  }

  @Test
  void aTensorMustNotEndBeforeItBegins() throws IOException {
    assertFails(
        GOOD.replace("[0,8]", "[8,0]"),
        8,
        "tensor \"a\" begins at byte 8 of the data, after its end at 0.");
  }

  @Test
  void lengthMustBeWhatShapeAndTypeMake() throws IOException {
    assertFails(
        GOOD.replace("[2]", "[2,3]"),
        8,
        "tensor \"a\", F32 [2, 3], takes 24 bytes but its data_offsets hold 8.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"[9223372036854775807]", "[4294967296,4294967296]", "[2305843009213693952]"})
  void aShapeWhoseSizeOverflowsIsRefused(String shape) throws IOException {
    assertFails(
        GOOD.replace("[2]", shape),
        8,
        "tensor \"a\" is too large: F32 " + shape.replace(",", ", ") + " passes 2^63 bytes.");
  }

  @Test
  void tensorsMustNotOverlap() throws IOException {
    assertFails(
        two("[2]", "[0,8]", "[1]", "[4,8]"),
        8,
        "tensor \"b\" begins at byte 4 of the data but \"a\" ends at 8: tensors must not overlap.");
    assertFails(
        two("[1]", "[0,4]", "[1]", "[0,4]"),
        8,
        "tensor \"b\" begins at byte 0 of the data but \"a\" ends at 4: tensors must not overlap.");
  }

  @Test
  void thereMustBeNoGap() throws IOException {
    assertFails(
        two("[1]", "[0,4]", "[1]", "[8,12]"),
        12,
        "tensor \"b\" begins at byte 8 of the data but what is before it ends at 4: there must be"
            + " no gap.");
    assertFails(
        GOOD.replace("[0,8]", "[4,12]"),
        12,
        "tensor \"a\" begins at byte 4 of the data but what is before it ends at 0: there must be"
            + " no gap.");
  }

  @Test
  void anEmptyTensorMayNotLieInsideAnotherOrBehindTheEnd() throws IOException {
    assertFails(
        two("[2]", "[0,8]", "[0]", "[4,4]"),
        8,
        "tensor \"b\" begins at byte 4 of the data but \"a\" ends at 8: tensors must not overlap.");
    assertFails(
        two("[2]", "[0,8]", "[0]", "[12,12]"),
        12,
        "tensor \"b\" begins at byte 12 of the data but what is before it ends at 8: there must be"
            + " no gap.");
  }

  @Test
  void theDataMustEndWithTheFile() throws IOException {
    assertFails(
        GOOD, 7, "header promises 8 bytes of data but the file has 7. Incomplete download?");
    assertFails(GOOD, 9, "has 9 bytes of data but its tensors end at 8: nothing may follow them.");
  }

  private static String two(String shapeA, String offsetsA, String shapeB, String offsetsB) {
    return """
    {"a":{"dtype":"F32","shape":%s,"data_offsets":%s},\
    "b":{"dtype":"F32","shape":%s,"data_offsets":%s}}"""
        .formatted(shapeA, offsetsA, shapeB, offsetsB);
  }

  private static byte[] prefixed(long length, int fileSize) {
    return ByteBuffer.allocate(fileSize).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length).array();
  }

  private SafetensorsException failure(byte[] content) throws IOException {
    Path path = Files.write(directory.resolve("x.safetensors"), content);
    return assertThrows(SafetensorsException.class, () -> SafetensorsFile.open(path));
  }

  private void assertFails(String header, int dataBytes, String expected) throws IOException {
    assertFails(RawFile.bytes(header, dataBytes), expected);
  }

  private void assertFails(byte[] content, String expected) throws IOException {
    assertFails(Files.write(directory.resolve("x.safetensors"), content), expected);
  }

  private static void assertFails(Path path, String expected) {
    var e = assertThrows(SafetensorsException.class, () -> SafetensorsFile.open(path));
    assertEquals("[safetensors] " + path + ": " + expected, e.getMessage());
  }
}
