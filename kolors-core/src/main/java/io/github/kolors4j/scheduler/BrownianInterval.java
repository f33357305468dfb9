package io.github.kolors4j.scheduler;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brownian motion over an interval, the same whatever is asked of it and in which order: halves of
 * halves, each drawn from a seed of its own under the condition of what is known of the whole.
 *
 * <p>The numbers are those of torchsde's {@code BrownianInterval} as diffusers makes it: a tree of
 * halves, times rounded to six digits, seeds by {@link SeedSequence} with a pool of 24 words.
 *
 * @see <a href="https://arxiv.org/abs/2105.13493">Kidger et al., 2021</a>
 */
final class BrownianInterval {
  /** Draws standard normals from a new generator. */
  @FunctionalInterface
  interface Normals {
    void draw(long seed, float[] target);
  }

  private static final int DIGITS = 6;
  private static final int POOL_SIZE = 24;

  /** How many increments are kept; others are drawn again when asked for. */
  private static final int CACHE_SIZE = 45;

  private final long entropy;
  private final int length;
  private final Normals normals;
  private final Node root;
  private final float[] whole;

  private final Map<Node, float[]> cache =
      new LinkedHashMap<>(2 * CACHE_SIZE, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Node, float[]> eldest) {
          return size() > CACHE_SIZE;
        }
      };

  /** A part of the interval; its halves are there once somebody asked for less than it. */
  private static final class Node {
    final @Nullable Node parent;
    final double start;
    final double end;
    final long key;
    final int depth;
    private @Nullable Halves halves;

    Node(@Nullable Node parent, double start, double end, long key, int depth) {
      this.parent = parent;
      this.start = start;
      this.end = end;
      this.key = key;
      this.depth = depth;
    }

    Halves halves() {
      if (halves == null) {
        double middle = round(0.5 * (end + start));
        Node left = new Node(this, start, middle, 2 * key, depth + 1);
        Node right = new Node(this, middle, end, 2 * key + 1, depth + 1);
        halves = new Halves(middle, left, right);
      }
      return halves;
    }
  }

  private record Halves(double middle, Node left, Node right) {}

  BrownianInterval(double start, double end, long entropy, int length, Normals normals) {
    this.entropy = entropy;
    this.length = length;
    this.normals = normals;
    this.root = new Node(null, round(start), round(end), 0, 0);
    long seed = new SeedSequence(entropy, POOL_SIZE).generateState(3)[0];
    this.whole = draw(seed);
    scale(whole, Math.sqrt(end - start));
  }

  private static double round(double time) {
    return new BigDecimal(time).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue();
  }

  private float[] draw(long seed) {
    float[] values = new float[length];
    normals.draw(seed, values);
    return values;
  }

  private static void scale(float[] values, double factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= (float) factor;
    }
  }

  /** What the motion gains from one time to a later one; times outside count as the ends. */
  float[] between(double from, double to) {
    double begin = round(Math.clamp(from, root.start, root.end));
    double end = round(Math.clamp(to, root.start, root.end));
    float[] sum = new float[length];
    if (begin < end) {
      add(root, begin, end, sum);
    }
    return sum;
  }

  private void add(Node node, double from, double to, float[] sum) {
    if (from == node.start && to == node.end) {
      float[] increment = increment(node);
      for (int i = 0; i < length; i++) {
        sum[i] += increment[i];
      }
      return;
    }
    Halves halves = node.halves();
    if (from < halves.middle) {
      add(halves.left, from, Math.min(to, halves.middle), sum);
    }
    if (to > halves.middle) {
      add(halves.right, Math.max(from, halves.middle), to, sum);
    }
  }

  private float[] increment(Node node) {
    if (node.parent == null) {
      return whole;
    }
    float[] known = cache.get(node);
    if (known != null) {
      return known;
    }
    Node parent = node.parent;
    float[] all = increment(parent);
    double reciprocal = 1 / (parent.end - parent.start);
    Halves halves = parent.halves();
    double left = halves.middle - parent.start;
    double right = parent.end - halves.middle;
    float stdDev = (float) Math.sqrt(left * right * reciprocal);
    long seed = new SeedSequence(entropy, POOL_SIZE, parent.key, parent.depth).generateState(4)[0];
    float[] increment = draw(seed);
    for (int i = 0; i < length; i++) {
      float ofLeft = (float) left * all[i] * (float) reciprocal + stdDev * increment[i];
      increment[i] = node == halves.left ? ofLeft : all[i] - ofLeft;
    }
    cache.put(node, increment);
    return increment;
  }
}
