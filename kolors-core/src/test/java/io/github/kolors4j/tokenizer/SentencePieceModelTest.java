package io.github.kolors4j.tokenizer;

import static io.github.kolors4j.tokenizer.ModelBytes.BYTE;
import static io.github.kolors4j.tokenizer.ModelBytes.NORMAL;
import static io.github.kolors4j.tokenizer.ModelBytes.UNKNOWN;
import static io.github.kolors4j.tokenizer.ModelBytes.normalizer;
import static io.github.kolors4j.tokenizer.ModelBytes.pieces;
import static io.github.kolors4j.tokenizer.ModelBytes.trainer;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The reader of {@code tokenizer.model}: what it takes, and what it says to what it does not. */
class SentencePieceModelTest {
  private static final Path FILE = Path.of("somewhere", "tokenizer.model");
  private static final byte[] ONE = {1};
  private static final byte[] ELEVEN_BYTES = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1};

  static Stream<Arguments> brokenModels() {
    return Stream.of(
        arguments("the file is empty", new ModelBytes()),
        arguments("not a SentencePiece model: wire type 3", text("{\"model\": 1}")),
        arguments("not a SentencePiece model: wire type 6", text("version https://git-lfs")),
        arguments(
            "not a SentencePiece model: it has no pieces", new ModelBytes().bytes(2, trainer())),
        arguments("field number 0", ModelBytes.good().varint(0)),
        arguments("field number 536870912", ModelBytes.good().varint(1L << 32)),
        arguments("wire type 4", ModelBytes.good().varint(9 << 3 | 4)),
        arguments("a number that does not end", ModelBytes.good().raw((byte) 0x80)),
        arguments("a number that does not end", ModelBytes.good().varint(99 << 3)),
        arguments("a number of more than 10 bytes", ModelBytes.good().raw(ELEVEN_BYTES)),
        arguments("a value of 5 bytes where 0 are left", ModelBytes.good().varint(10).varint(5)),
        arguments("a value of 2147483647 bytes", ModelBytes.good().varint(10).varint(0x7FFFFFFF)),
        arguments("a value of 4294967296 bytes", ModelBytes.good().varint(10).varint(1L << 32)),
        arguments("a value of 18446744073709551615 bytes", ModelBytes.good().varint(10).varint(-1)),
        arguments("a value of 4 bytes where 1 are", ModelBytes.good().varint(99 << 3 | 5).raw(ONE)),
        arguments("a value of 8 bytes where 1 are", ModelBytes.good().varint(99 << 3 | 1).raw(ONE)),
        arguments("field 1 with wire type 0 instead of 2", ModelBytes.good().number(1, 7)),
        arguments(
            "field 2 with wire type 0 instead of 5",
            ModelBytes.good().bytes(1, new ModelBytes().bytes(1, "x").number(2, 1))),
        arguments(
            "field 3 with wire type 2 instead of 0",
            ModelBytes.good().bytes(2, new ModelBytes().bytes(3, "BPE"))),
        arguments(
            "a string that is not UTF-8",
            ModelBytes.good().bytes(1, new ModelBytes().bytes(1, new byte[] {-1}))),
        arguments("no trainer_spec", pieces()),
        arguments("no trainer_spec", pieces().bytes(3, normalizer())),
        arguments("no normalizer_spec", pieces().bytes(2, trainer())));
  }

  static Stream<Arguments> unsupportedModels() {
    return Stream.of(
        arguments("model_type is UNIGRAM; only BPE", specs(new ModelBytes(), normalizer())),
        arguments("model_type is UNIGRAM; only BPE", specs(type(1), normalizer())),
        arguments("model_type is WORD; only BPE", specs(type(3), normalizer())),
        arguments("model_type is CHAR; only BPE", specs(type(4), normalizer())),
        arguments("model_type is 9; only BPE", specs(type(9), normalizer())),
        arguments(
            "treat_whitespace_as_suffix is true", specs(trainer().number(24, 1), normalizer())),
        arguments("normalizer is \"nmt_nfkc\"", specs(trainer(), name("nmt_nfkc"))),
        arguments(
            "normalizer \"nmt_nfkc\" has a precompiled_charsmap",
            specs(trainer(), name("nmt_nfkc").bytes(2, "map"))),
        arguments(
            "denormalizer_spec has a precompiled_charsmap",
            ModelBytes.good().bytes(5, new ModelBytes().bytes(2, "map"))),
        arguments("piece 6 is empty", ModelBytes.good().piece("", 0, NORMAL)),
        arguments("piece \"ab\" is there twice", ModelBytes.good().piece("ab", -9, NORMAL)),
        arguments("piece 6 has type 0", ModelBytes.good().piece("x", 0, 0)),
        arguments("piece 6 has type 7", ModelBytes.good().piece("x", 0, 7)),
        arguments("the score of piece 6 (\"x\") is NaN", with("x", Float.NaN, NORMAL)),
        arguments("pieces 0 and 6 are both of type unknown", with("x", 0, UNKNOWN)),
        arguments("byte piece \"<0x0a>\" is not of the form", with("<0x0a>", 0, BYTE)),
        arguments("byte piece \"<0xZZ>\" is not of the form", with("<0xZZ>", 0, BYTE)),
        arguments("byte_fallback is false, but byte piece <0x0A> is", with("<0x0A>", 0, BYTE)),
        arguments(
            "byte_fallback is true, but byte piece <0x00> is missing",
            specs(trainer().number(35, 1), normalizer())),
        arguments("unk_piece is \"ab\"", specs(trainer().bytes(45, "ab"), normalizer())),
        arguments(
            "no piece is of type unknown",
            new ModelBytes().piece("a", 0, NORMAL).bytes(2, trainer()).bytes(3, normalizer())));
  }

  @ParameterizedTest
  @MethodSource({"brokenModels", "unsupportedModels"})
  void aModelThatCannotBeUsedIsRefusedInOneSentenceWithTheFile(String what, ModelBytes model) {
    InvalidFileException e =
        assertThrows(
            InvalidFileException.class, () -> SentencePieceModel.parse(FILE, model.toByteArray()));
    assertTrue(e.getMessage().startsWith("[tokenizer] " + FILE + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(what), e.getMessage());
    assertTrue(e.getMessage().lines().count() == 1, e.getMessage());
  }

  @Test
  void unknownFieldsAreSkipped() throws IOException {
    ModelBytes model =
        new ModelBytes()
            .number(200, -1)
            .bytes(201, "extension")
            .real(202, 1)
            .varint(203 << 3 | 1)
            .raw(new byte[8])
            .raw(ModelBytes.good().toByteArray());
    assertEquals(6, SentencePieceModel.parse(FILE, model.toByteArray()).size());
  }

  @Test
  void flagsThatAreNotSetHaveTheSchemasDefaults() throws IOException {
    ModelBytes model = pieces().bytes(2, trainer()).bytes(3, new ModelBytes());
    SentencePieceModel parsed = SentencePieceModel.parse(FILE, model.toByteArray());
    assertTrue(parsed.addDummyPrefix());
    assertTrue(parsed.removeExtraWhitespaces());
    assertTrue(parsed.escapeWhitespaces());
    assertEquals(false, parsed.byteFallback());
  }

  @Test
  void equalScoresShareARankAndMinusZeroIsZero() throws IOException {
    byte[] bytes =
        ModelBytes.good()
            .piece("x", -0f, NORMAL)
            .piece("y", 1, NORMAL)
            .piece("z", Float.NEGATIVE_INFINITY, NORMAL)
            .toByteArray();
    SentencePieceModel model = SentencePieceModel.parse(FILE, bytes);
    int[] ranks = new int[model.size()];
    Arrays.setAll(ranks, model::rank);
    assertArrayEquals(new int[] {1, 1, 1, 2, 3, 4, 1, 0, 5}, ranks);
  }

  @Test
  void aFileThatIsFarTooLargeIsNotRead(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("tokenizer.model");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(5L << 30);
    }
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> SentencePieceModel.load(file));
    assertTrue(e.getMessage().contains("5368709120 bytes"), e.getMessage());
  }

  /** Every cut of the small model, and many of the shipped one, is an error and says so. */
  @Test
  void aTruncatedModelIsRefused() throws IOException {
    byte[] small = ModelBytes.good().toByteArray();
    for (int length = 0; length < small.length; length++) {
      byte[] cut = Arrays.copyOf(small, length);
      assertThrows(InvalidFileException.class, () -> SentencePieceModel.parse(FILE, cut));
    }
    byte[] mini = Files.readAllBytes(TokenizerReferences.MINI.resolve("tokenizer.model"));
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 300; i++) {
      byte[] cut = Arrays.copyOf(mini, random.nextInt(mini.length));
      assertThrows(InvalidFileException.class, () -> SentencePieceModel.parse(FILE, cut));
    }
  }

  /** A damaged model is refused or works as some other model; nothing else may happen. */
  @Test
  void aDamagedModelIsRefusedOrWorks() throws IOException {
    byte[] mini = Files.readAllBytes(TokenizerReferences.MINI.resolve("tokenizer.model"));
    int[] outcomes = new int[2];
    assertTimeoutPreemptively(
        Duration.ofSeconds(120),
        () -> {
          for (int seed = 0; seed < 1_500; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] model = random.nextBoolean() ? mini : ModelBytes.good().toByteArray();
            outcomes[survives(mutate(model, random)) ? 1 : 0]++;
          }
        });
    assertTrue(outcomes[0] > 100, () -> "refused " + outcomes[0]);
    assertTrue(outcomes[1] > 100, () -> "accepted " + outcomes[1]);
  }

  @Test
  void noiseIsRefused() {
    for (int seed = 0; seed < 2_000; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      assertThrows(InvalidFileException.class, () -> SentencePieceModel.parse(FILE, noise));
    }
  }

  private static byte[] mutate(byte[] model, SplittableRandom random) {
    byte[] mutated = model.clone();
    for (int i = random.nextInt(1, 5); i > 0; i--) {
      int at = random.nextInt(mutated.length);
      switch (random.nextInt(4)) {
        case 0 -> mutated[at] = (byte) random.nextInt();
        case 1 -> mutated[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> mutated[at] = -1;
        default -> {
          int from = random.nextInt(mutated.length);
          int length = Math.min(random.nextInt(1, 40), mutated.length - Math.max(at, from));
          System.arraycopy(mutated, from, mutated, at, length);
        }
      }
    }
    return mutated;
  }

  private static boolean survives(byte[] bytes) {
    SentencePieceModel model;
    try {
      model = SentencePieceModel.parse(FILE, bytes);
    } catch (InvalidFileException _) {
      return false;
    }
    BytePairEncoder encoder = new BytePairEncoder(model, model::idOf);
    PieceDecoder decoder = new PieceDecoder(model);
    for (String text : new String[] {"abab a  b", "一只瓢虫,蓝色背景 a ladybug\n\0😀", " "}) {
      int[] ids = encoder.encode(text);
      decoder.decode(Arrays.stream(ids).mapToObj(model::piece).toList());
    }
    return true;
  }

  private static ModelBytes specs(ModelBytes trainer, ModelBytes normalizer) {
    return pieces().bytes(2, trainer).bytes(3, normalizer);
  }

  private static ModelBytes with(String piece, float score, int type) {
    return ModelBytes.good().piece(piece, score, type);
  }

  private static ModelBytes type(int number) {
    return new ModelBytes().number(3, number);
  }

  private static ModelBytes name(String normalizer) {
    return new ModelBytes().bytes(1, normalizer);
  }

  private static ModelBytes text(String text) {
    return new ModelBytes().raw(text.getBytes(UTF_8));
  }
}
