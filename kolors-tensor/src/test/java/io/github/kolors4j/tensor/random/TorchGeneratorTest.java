package io.github.kolors4j.tensor.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("once")
class TorchGeneratorTest {
  /** What one generator of PyTorch gave; see {@code fixtures/make_random_fixtures.py}. */
  record Draws(GeneratorType type, long seed, int[] sizes, String sha256, int[] ends) {
    static Draws parse(GeneratorType type, String line) {
      String[] fields = line.split(" ");
      return new Draws(
          type,
          Long.parseLong(fields[0]),
          Arrays.stream(fields[1].split(",")).flatMapToInt(Draws::run).toArray(),
          fields[2],
          Arrays.stream(fields[3].split(",")).mapToInt(HexFormat::fromHexDigits).toArray());
    }

    /** {@code 15*4000}: 4,000 draws of 15. */
    private static IntStream run(String text) {
      String[] parts = text.split("\\*");
      return IntStream.generate(() -> Integer.parseInt(parts[0])).limit(Long.parseLong(parts[1]));
    }

    @Override
    public String toString() {
      return type + " seed " + seed + ", " + sizes.length + " draws of " + sizes[0] + " …";
    }
  }

  static Stream<Draws> references() throws IOException {
    return Stream.concat(
        references(GeneratorType.CPU, "torch_randn.txt"),
        references(GeneratorType.CPU_F16, "torch_randn_f16.txt"));
  }

  private static Stream<Draws> references(GeneratorType type, String name) throws IOException {
    try (var in = TorchGeneratorTest.class.getResourceAsStream("/random/" + name);
        var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      List<String> lines = reader.lines().filter(line -> !line.startsWith("#")).toList();
      return lines.stream().map(line -> Draws.parse(type, line));
    }
  }

  @ParameterizedTest
  @MethodSource("references")
  void drawsWhatTorchDrawsBitForBit(Draws expected) throws NoSuchAlgorithmException {
    Generator generator = expected.type().generator(expected.seed());
    int total = Arrays.stream(expected.sizes()).sum();
    float[] values = new float[total];
    int offset = 0;
    for (int size : expected.sizes()) {
      generator.randn(values, offset, size);
      offset += size;
    }

    int shown = Math.min(4, total);
    for (int i = 0; i < shown; i++) {
      assertEquals(expected.ends()[i], Float.floatToRawIntBits(values[i]), "value " + i);
      assertEquals(
          expected.ends()[expected.ends().length - 1 - i],
          Float.floatToRawIntBits(values[total - 1 - i]),
          "value " + (total - 1 - i));
    }
    ByteBuffer bytes = ByteBuffer.allocate(4 * total).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes.array());
    assertEquals(expected.sha256(), HexFormat.of().formatHex(hash), "a value between");
  }

  @Test
  void writesOnlyTheRangeItWasGiven() {
    float[] target = new float[40];
    Arrays.fill(target, 77);
    new TorchGenerator(3).randn(target, 5, 21);
    float[] alone = new TorchGenerator(3).randn(21);
    for (int i = 0; i < target.length; i++) {
      assertEquals(i >= 5 && i < 26 ? alone[i - 5] : 77, target[i], "place " + i);
    }
  }

  @Test
  void onlyTheLowerHalfOfTheSeedCounts() {
    assertTrue(
        Arrays.equals(
            new TorchGenerator(7).randn(33), new TorchGenerator(7 + (5L << 32)).randn(33)));
    assertEquals(7 + (5L << 32), new TorchGenerator(7 + (5L << 32)).seed());
  }

  @Test
  void aNamedGeneratorKnowsItsSeedAndStartsAnewWithAnother() {
    for (GeneratorType type : GeneratorType.values()) {
      assertEquals(type, GeneratorType.byName(type.toString()));
      Generator generator = type.generator(7);
      assertEquals(7, generator.seed());
      generator.randn(5);
      assertArrayEquals(type.generator(8).randn(33), generator.withSeed(8).randn(33));
    }
  }

  @Test
  void anUnknownNameIsRefusedWithThoseThereAre() {
    assertEquals(
        "[random] no generator \"mps\": use one of cpu, cpu-f16, cuda, cuda-f16.",
        assertThrows(IllegalArgumentException.class, () -> GeneratorType.byName("mps"))
            .getMessage());
  }

  @Test
  void refusesANegativeCountAndARangeOutsideTheArray() {
    TorchGenerator generator = new TorchGenerator(0);
    assertThrows(IllegalArgumentException.class, () -> generator.randn(-1));
    assertThrows(IndexOutOfBoundsException.class, () -> generator.randn(new float[4], 2, 3));
  }
}
