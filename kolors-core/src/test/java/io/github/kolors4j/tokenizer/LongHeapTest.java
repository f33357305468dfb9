package io.github.kolors4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The merge agenda of the {@link BytePairEncoder}. */
class LongHeapTest {
  @Test
  void givesWhatAPriorityQueueGives() {
    for (int seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      LongHeap heap = new LongHeap(0);
      PriorityQueue<Long> queue = new PriorityQueue<>();
      for (int i = random.nextInt(400); i > 0; i--) {
        if (queue.isEmpty() || random.nextInt(3) > 0) {
          long value = random.nextBoolean() ? random.nextInt(8) : random.nextLong();
          heap.add(value);
          queue.add(value);
        } else {
          assertEquals(queue.remove(), heap.removeSmallest());
        }
      }
      while (!queue.isEmpty()) {
        assertEquals(queue.remove(), heap.removeSmallest());
      }
      assertTrue(heap.isEmpty());
    }
  }
}
