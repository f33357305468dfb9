package io.github.kolors4j.images;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32;

/**
 * Makes damaged files of good ones, by what transfers, bad programs and attackers do: bits, counts
 * and lengths at their edges, parts lost, doubled, moved and taken from other files.
 *
 * @param random what happens
 * @param files good ones
 */
record Damage(RandomGenerator random, List<byte[]> files) {
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

  private static final int PNG_CHUNKS = 8;
  private static final int HEAD = 64;

  byte[] next() {
    byte[] file = files.get(random.nextInt(files.size())).clone();
    boolean png = file[0] == (byte) 0x89;
    int times = 1 + random.nextInt(4);
    for (int i = 0; i < times && file.length > Integer.BYTES; i++) {
      file = damaged(file);
    }
    if (png && random.nextInt(4) > 0) {
      repairChecksums(file); // else nothing behind them is ever seen
    }
    return file;
  }

  private byte[] damaged(byte[] file) {
    int at = place(file.length - Integer.BYTES);
    int length = random.nextInt(Math.min(file.length - at, 1 << random.nextInt(8))) + 1;
    ByteBuffer bytes = ByteBuffer.wrap(file);
    bytes.order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    int edge = EDGES[random.nextInt(EDGES.length)] + random.nextInt(3) - 1;
    return switch (random.nextInt(12)) {
      case 0, 1 -> bytes.put(at, (byte) (file[at] ^ 1 << random.nextInt(8))).array();
      case 2, 3 -> bytes.put(at, (byte) edge).array();
      case 4 -> bytes.putShort(at, (short) edge).array();
      case 5 -> bytes.putInt(at, edge).array();
      case 6 -> bytes.put(at, (byte) random.nextInt()).array();
      case 7 -> Arrays.copyOf(file, at + length); // the rest is lost
      case 8 -> spliced(file, at, new byte[0], at + length);
      case 9 -> spliced(file, at + length, new byte[0], at); // twice
      case 10 -> {
        byte[] other = files.get(random.nextInt(files.size()));
        int from = place(other.length);
        int to = Math.min(other.length, from + length);
        yield spliced(file, at, Arrays.copyOfRange(other, from, to), at + length);
      }
      default -> {
        for (int i = at; i < at + length; i++) {
          file[i] = (byte) random.nextInt();
        }
        yield file;
      }
    };
  }

  /** Half of the time in the head, where the lengths are. */
  private int place(int length) {
    return random.nextInt(random.nextBoolean() ? Math.min(length, HEAD) : length);
  }

  /** The first bytes of a file, others, and the file from somewhere on. */
  private static byte[] spliced(byte[] file, int end, byte[] middle, int from) {
    byte[] result = Arrays.copyOf(file, end + middle.length + file.length - from);
    System.arraycopy(middle, 0, result, end, middle.length);
    System.arraycopy(file, from, result, end + middle.length, file.length - from);
    return result;
  }

  private static void repairChecksums(byte[] png) {
    ByteBuffer bytes = ByteBuffer.wrap(png);
    int at = PNG_CHUNKS;
    while (at <= png.length - 12) {
      int length = bytes.getInt(at);
      if (length < 0 || length > png.length - at - 12) {
        return;
      }
      CRC32 sum = new CRC32();
      sum.update(png, at + 4, length + 4);
      bytes.putInt(at + 8 + length, (int) sum.getValue());
      at += 12 + length;
    }
  }
}
