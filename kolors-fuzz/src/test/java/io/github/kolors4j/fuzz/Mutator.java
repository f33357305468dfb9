package io.github.kolors4j.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** Makes a bad file of good ones. */
@FunctionalInterface
interface Mutator {
  /**
   * One more file.
   *
   * @param random what happens
   * @param seeds good files, not to be changed
   */
  byte[] mutate(RandomGenerator random, List<byte[]> seeds);

  /** One of a list. */
  static <T> T oneOf(RandomGenerator random, List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  /** The first bytes of a file, others, and the file from somewhere on. */
  static byte[] spliced(byte[] file, int end, byte[] middle, int from) {
    byte[] result = Arrays.copyOf(file, end + middle.length + file.length - from);
    System.arraycopy(middle, 0, result, end, middle.length);
    System.arraycopy(file, from, result, end + middle.length, file.length - from);
    return result;
  }
}
