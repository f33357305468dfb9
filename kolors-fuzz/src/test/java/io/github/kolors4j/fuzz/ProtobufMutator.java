package io.github.kolors4j.fuzz;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Damages fields of protobuf messages, and of messages within them; lengths stay right mostly, so
 * that the rest is read.
 */
final class ProtobufMutator implements Mutator {
  private static final int LENGTH_DELIMITED = 2;

  private final Mutator bytes = new ByteMutator();

  /**
   * A field.
   *
   * @param tag number and wire type
   * @param value as it is written, without the length in front
   */
  record Field(int tag, byte[] value) {
    int number() {
      return tag >>> 3;
    }

    boolean isMessage() {
      return (tag & 7) == LENGTH_DELIMITED;
    }
  }

  @Override
  public byte[] mutate(RandomGenerator random, List<byte[]> seeds) {
    if (random.nextInt(3) == 0) {
      return bytes.mutate(random, seeds);
    }
    byte[] file = Mutator.oneOf(random, seeds);
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times; i++) {
      List<Field> fields = fields(file);
      if (!fields.isEmpty()) { // after a former change
        file = message(fields, random);
      }
    }
    return file;
  }

  private static byte[] message(List<Field> fields, RandomGenerator random) {
    // The last two are the specifications, which are looked at once.
    int which =
        random.nextInt(3) == 0
            ? Math.max(0, fields.size() - 1 - random.nextInt(3))
            : random.nextInt(fields.size());
    Field field = fields.get(which);
    Field other = fields.get(random.nextInt(fields.size()));
    switch (random.nextInt(6)) {
      case 0 -> fields.remove(which);
      case 1 -> fields.add(random.nextInt(fields.size()), field);
      case 2 -> fields.set(which, new Field(field.tag, other.value));
      case 3 -> fields.set(which, new Field(random.nextInt(400), field.value));
      default -> {
        List<Field> inner = field.isMessage() ? fields(field.value) : List.of();
        byte[] value = field.value.clone();
        if (!inner.isEmpty() && random.nextInt(3) > 0) {
          value = message(inner, random);
        } else if (value.length > Integer.BYTES) {
          value = ByteMutator.damaged(random, value, List.of(value.clone()));
        } else if (value.length > 0) {
          value[random.nextInt(value.length)] = (byte) random.nextInt();
        }
        fields.set(which, new Field(field.tag, value));
      }
    }
    return written(fields);
  }

  /** The fields of a message; those before the first that is none. */
  static List<Field> fields(byte[] message) {
    List<Field> fields = new ArrayList<>();
    int[] at = new int[1];
    try {
      while (at[0] < message.length) {
        int tag = varint(message, at);
        int from = at[0];
        switch (tag & 7) {
          case 0 -> varint(message, at);
          case 1 -> at[0] += Long.BYTES;
          case LENGTH_DELIMITED -> {
            int length = varint(message, at);
            from = at[0];
            at[0] += Math.max(0, length);
          }
          case 5 -> at[0] += Integer.BYTES;
          default -> {
            return fields;
          }
        }
        if (at[0] > message.length) {
          return fields;
        }
        fields.add(new Field(tag, Arrays.copyOfRange(message, from, at[0])));
      }
    } catch (IndexOutOfBoundsException _) {
      // a former change
    }
    return fields;
  }

  static byte[] written(List<Field> fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Field field : fields) {
      varint(field.tag, out);
      if (field.isMessage()) {
        varint(field.value.length, out);
      }
      out.writeBytes(field.value);
    }
    return out.toByteArray();
  }

  private static int varint(byte[] message, int[] at) {
    int value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = message[at[0]++];
      value |= (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }

  private static void varint(int value, ByteArrayOutputStream out) {
    int left = value;
    while ((left & ~0x7F) != 0) {
      out.write((left & 0x7F) | 0x80);
      left >>>= 7;
    }
    out.write(left);
  }
}
