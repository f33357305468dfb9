package io.github.kolors4j.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** Damages the header of a safetensors file as JSON, and keeps the length in front right mostly. */
final class SafetensorsMutator implements Mutator {
  private final Mutator bytes = new ByteMutator();

  @Override
  public byte[] mutate(RandomGenerator random, List<byte[]> seeds) {
    if (random.nextInt(3) == 0) {
      return bytes.mutate(random, seeds);
    }
    byte[] file = Mutator.oneOf(random, seeds);
    String mutated = JsonMutator.mutated(random, json(file), json(Mutator.oneOf(random, seeds)));
    byte[] json = mutated.getBytes(UTF_8);
    byte[] result = Mutator.spliced(file, Long.BYTES, json, dataStart(file));
    long length = random.nextInt(8) == 0 ? ByteMutator.edge(random) : json.length;
    ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    return random.nextInt(6) == 0
        ? Arrays.copyOf(result, Math.max(0, result.length + random.nextInt(9) - 4))
        : result;
  }

  private static String json(byte[] file) {
    return new String(file, Long.BYTES, dataStart(file) - Long.BYTES, UTF_8);
  }

  private static int dataStart(byte[] file) {
    return Long.BYTES + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
  }
}
