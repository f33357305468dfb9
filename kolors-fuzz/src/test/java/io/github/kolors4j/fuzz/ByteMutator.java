package io.github.kolors4j.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What transfers, bad programs and attackers do to bytes of any format: bits, counts and lengths at
 * their edges, parts lost, doubled, moved and taken from other files.
 */
final class ByteMutator implements Mutator {
  private static final int[] EDGES = {
    0,
    1,
    2,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0xFFFFFF,
    0x7FFFFFFF,
    -1
  };

  private static final int HEAD = 64;

  @Override
  public byte[] mutate(RandomGenerator random, List<byte[]> seeds) {
    byte[] file = Mutator.oneOf(random, seeds).clone();
    int times = 1 + random.nextInt(4);
    for (int i = 0; i < times && file.length > Integer.BYTES; i++) {
      file = damaged(random, file, seeds);
    }
    return file;
  }

  /** A file with one fault more; the array may be the same one. */
  static byte[] damaged(RandomGenerator random, byte[] file, List<byte[]> others) {
    int at = place(random, file.length - Integer.BYTES);
    int length = random.nextInt(Math.min(file.length - at, 1 << random.nextInt(8))) + 1;
    ByteBuffer bytes = ByteBuffer.wrap(file);
    bytes.order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    int edge = edge(random);
    return switch (random.nextInt(12)) {
      case 0, 1 -> bytes.put(at, (byte) (file[at] ^ 1 << random.nextInt(8))).array();
      case 2, 3 -> bytes.put(at, (byte) edge).array();
      case 4 -> bytes.putShort(at, (short) edge).array();
      case 5 -> bytes.putInt(at, edge).array();
      case 6 -> bytes.put(at, (byte) random.nextInt()).array();
      case 7 -> Arrays.copyOf(file, at + length); // the rest is lost
      case 8 -> Mutator.spliced(file, at, new byte[0], at + length);
      case 9 -> Mutator.spliced(file, at + length, new byte[0], at); // twice
      case 10 -> {
        byte[] other = Mutator.oneOf(random, others);
        int from = place(random, other.length);
        int to = Math.min(other.length, from + length);
        yield Mutator.spliced(file, at, Arrays.copyOfRange(other, from, to), at + length);
      }
      default -> {
        for (int i = at; i < at + length; i++) {
          file[i] = (byte) random.nextInt();
        }
        yield file;
      }
    };
  }

  /** A number beside which programs change their mind. */
  static int edge(RandomGenerator random) {
    return EDGES[random.nextInt(EDGES.length)] + random.nextInt(3) - 1;
  }

  /** Half of the time in the head, where the lengths are. */
  private static int place(RandomGenerator random, int length) {
    return random.nextInt(random.nextBoolean() ? Math.min(length, HEAD) : length);
  }
}
