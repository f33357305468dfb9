package io.github.kolors4j.scheduler;

import java.util.ArrayList;
import java.util.List;

/**
 * NumPy's {@code SeedSequence}: good seeds from a poor one, and from a place in a tree.
 *
 * @see <a href="https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html">O'Neill,
 *     2015</a>
 */
final class SeedSequence {
  private static final int INIT_A = 0x43b0d7e5;
  private static final int MULT_A = 0x931e8875;
  private static final int INIT_B = 0x8b51f9dd;
  private static final int MULT_B = 0x58f38ded;
  private static final int MIX_LEFT = 0xca01f9dd;
  private static final int MIX_RIGHT = 0x4973f715;

  private final int[] pool;
  private int hash = INIT_A;

  /**
   * A sequence at its beginning.
   *
   * @param entropy the seed, taken as unsigned
   * @param poolSize how many words hold the state
   * @param spawnKey the place in a tree; none at its root
   */
  SeedSequence(long entropy, int poolSize, long... spawnKey) {
    List<Integer> words = new ArrayList<>();
    addWords(words, entropy);
    while (spawnKey.length > 0 && words.size() < poolSize) {
      words.add(0);
    }
    for (long key : spawnKey) {
      addWords(words, key);
    }
    this.pool = new int[poolSize];
    for (int i = 0; i < poolSize; i++) {
      pool[i] = hashed(i < words.size() ? words.get(i) : 0);
    }
    for (int from = 0; from < poolSize; from++) {
      for (int to = 0; to < poolSize; to++) {
        if (from != to) {
          pool[to] = mixed(pool[to], hashed(pool[from]));
        }
      }
    }
    for (int from = poolSize; from < words.size(); from++) {
      for (int to = 0; to < poolSize; to++) {
        pool[to] = mixed(pool[to], hashed(words.get(from)));
      }
    }
  }

  private static void addWords(List<Integer> words, long value) {
    words.add((int) value);
    if (value >>> 32 != 0) {
      words.add((int) (value >>> 32));
    }
  }

  private int hashed(int value) {
    value ^= hash;
    hash *= MULT_A;
    value *= hash;
    return value ^ value >>> 16;
  }

  private static int mixed(int x, int y) {
    int mixed = MIX_LEFT * x - MIX_RIGHT * y;
    return mixed ^ mixed >>> 16;
  }

  /** The first words that come from the state, unsigned; {@code generate_state}. */
  long[] generateState(int n) {
    long[] state = new long[n];
    int outHash = INIT_B;
    for (int i = 0; i < n; i++) {
      int word = pool[i % pool.length] ^ outHash;
      outHash *= MULT_B;
      word *= outHash;
      state[i] = Integer.toUnsignedLong(word ^ word >>> 16);
    }
    return state;
  }
}
