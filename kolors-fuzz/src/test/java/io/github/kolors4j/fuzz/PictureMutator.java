package io.github.kolors4j.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32;

/**
 * Damages pictures where their formats are made of parts: chunks of PNG and WebP, segments of JPEG,
 * fields of TIFF. Checksums and lengths of the whole are mended mostly, since else nothing behind
 * them is ever seen.
 */
final class PictureMutator implements Mutator {
  private static final int TIFF_ENTRY = 12;

  private final Mutator bytes = new ByteMutator();

  /** Where something begins, and where it ends. */
  private record Part(int from, int end) {}

  @Override
  public byte[] mutate(RandomGenerator random, List<byte[]> seeds) {
    if (random.nextInt(3) > 0) {
      return mended(random, bytes.mutate(random, seeds));
    }
    byte[] file = Mutator.oneOf(random, seeds).clone();
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times; i++) {
      file = isTiff(file) ? withField(random, file) : withPart(random, file, seeds);
    }
    if (random.nextInt(3) == 0 && file.length > Integer.BYTES) {
      file = ByteMutator.damaged(random, file, seeds);
    }
    return mended(random, file);
  }

  private static byte[] withPart(RandomGenerator random, byte[] file, List<byte[]> seeds) {
    List<Part> parts = parts(file);
    if (parts.isEmpty()) {
      return file.length > Integer.BYTES ? ByteMutator.damaged(random, file, seeds) : file;
    }
    Part part = Mutator.oneOf(random, parts);
    Part other = Mutator.oneOf(random, parts);
    byte[] moved = Arrays.copyOfRange(file, other.from, other.end);
    return switch (random.nextInt(4)) {
      case 0 -> Mutator.spliced(file, part.from, new byte[0], part.end);
      case 1 -> Mutator.spliced(file, part.from, moved, part.from);
      case 2 -> Mutator.spliced(file, part.from, moved, part.end);
      default -> {
        byte[] foreign = Mutator.oneOf(random, seeds);
        List<Part> theirs = parts(foreign);
        if (theirs.isEmpty()) {
          yield file;
        }
        Part taken = Mutator.oneOf(random, theirs);
        yield Mutator.spliced(
            file, part.from, Arrays.copyOfRange(foreign, taken.from, taken.end), part.from);
      }
    };
  }

  /** A field of the first directory with another tag, type, count or value. */
  private static byte[] withField(RandomGenerator random, byte[] file) {
    ByteBuffer tiff = ByteBuffer.wrap(file);
    tiff.order(file[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    int directory = tiff.getInt(4);
    if (directory < 8 || directory > file.length - 2) {
      return file;
    }
    int entries = Math.min(tiff.getShort(directory), (file.length - directory - 2) / TIFF_ENTRY);
    if (entries < 1) {
      return file;
    }
    int entry = directory + 2 + TIFF_ENTRY * random.nextInt(entries);
    int other = directory + 2 + TIFF_ENTRY * random.nextInt(entries);
    switch (random.nextInt(6)) {
      case 0 -> tiff.putShort(entry + 2, (short) random.nextInt(14));
      case 1 -> tiff.putInt(entry + 4, ByteMutator.edge(random));
      case 2 -> tiff.putInt(entry + 8, ByteMutator.edge(random));
      case 3 -> tiff.putShort(entry + 8, (short) ByteMutator.edge(random));
      case 4 -> tiff.putInt(entry + 8, tiff.getInt(other + 8));
      default -> tiff.putShort(entry, tiff.getShort(other));
    }
    return file;
  }

  private static List<Part> parts(byte[] file) {
    if (isPng(file)) {
      return chunks(file, 8, ByteOrder.BIG_ENDIAN, 0, 12);
    }
    if (begins(file, "RIFF")) {
      return chunks(file, 12, ByteOrder.LITTLE_ENDIAN, 4, 8);
    }
    return isJpeg(file) ? segments(file) : List.of();
  }

  /** Chunks with a length at some place, and something beside what it counts. */
  private static List<Part> chunks(byte[] file, int from, ByteOrder order, int place, int beside) {
    List<Part> parts = new ArrayList<>();
    ByteBuffer bytes = ByteBuffer.wrap(file).order(order);
    int at = from;
    while (at <= file.length - beside) {
      int length = bytes.getInt(at + place);
      length += order == ByteOrder.LITTLE_ENDIAN ? length & 1 : 0; // padded
      if (length < 0 || length > file.length - at - beside) {
        break;
      }
      parts.add(new Part(at, at + beside + length));
      at += beside + length;
    }
    return parts;
  }

  /** From marker to marker, also those within a scan. */
  private static List<Part> segments(byte[] file) {
    List<Part> parts = new ArrayList<>();
    int from = 2;
    for (int at = 4; at < file.length - 1; at++) {
      if (file[at] == -1 && file[at + 1] != 0 && file[at + 1] != -1) {
        parts.add(new Part(from, at));
        from = at;
      }
    }
    return parts;
  }

  private static byte[] mended(RandomGenerator random, byte[] file) {
    if (random.nextInt(4) > 0) {
      if (isPng(file)) {
        repairChecksums(file);
      } else if (begins(file, "RIFF") && file.length > 8) {
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(4, file.length - 8);
      }
    }
    return file;
  }

  private static void repairChecksums(byte[] png) {
    for (Part chunk : chunks(png, 8, ByteOrder.BIG_ENDIAN, 0, 12)) {
      CRC32 sum = new CRC32();
      sum.update(png, chunk.from + 4, chunk.end - chunk.from - 8);
      ByteBuffer.wrap(png).putInt(chunk.end - 4, (int) sum.getValue());
    }
  }

  private static boolean isPng(byte[] file) {
    return begins(file, "\u0089PNG");
  }

  private static boolean isJpeg(byte[] file) {
    return begins(file, "\u00FF\u00D8\u00FF");
  }

  private static boolean isTiff(byte[] file) {
    return file.length > 8 && (begins(file, "II*\0") || begins(file, "MM\0*"));
  }

  private static boolean begins(byte[] file, String latin) {
    byte[] signature = latin.getBytes(StandardCharsets.ISO_8859_1);
    return file.length >= signature.length
        && Arrays.equals(file, 0, signature.length, signature, 0, signature.length);
  }
}
