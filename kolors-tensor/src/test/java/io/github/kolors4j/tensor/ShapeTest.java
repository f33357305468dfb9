package io.github.kolors4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** Extents and their limits. */
class ShapeTest {
  @Test
  void aShapeCountsItsValuesAndRows() {
    Shape shape = Shape.of(2, 3, 5);
    assertEquals(3, shape.rank());
    assertEquals(30, shape.size());
    assertEquals(6, shape.rows());
    assertEquals(2, shape.dim(0));
    assertEquals(5, shape.dim(-1));
    assertEquals(2, shape.dim(-3));
    assertEquals("[2, 3, 5]", shape.toString());
    assertEquals(Shape.of(2, 3, 7), shape.withLast(7));
    assertArrayEquals(new int[] {2, 3, 5}, shape.dims());
  }

  @Test
  void noAxesHoldOneValue() {
    assertEquals(1, Shape.of().size());
    assertEquals(0, Shape.of().rank());
    assertEquals("[]", Shape.of().toString());
  }

  @Test
  void anExtentOfZeroHoldsNoValues() {
    assertEquals(0, Shape.of(3, 0, 5).size());
    assertEquals(0, Shape.of(Integer.MAX_VALUE, 0).size());
    assertEquals(3, Shape.of(3, 0).rows());
  }

  @Test
  void shapesAreEqualWhereTheirExtentsAre() {
    assertEquals(Shape.of(2, 3), Shape.of(2, 3));
    assertEquals(Shape.of(2, 3).hashCode(), Shape.of(2, 3).hashCode());
    assertNotEquals(Shape.of(2, 3), Shape.of(3, 2));
    assertNotEquals(Shape.of(6), Shape.of(2, 3));
  }

  @Test
  void whatTheCallerDoesToTheExtentsAfterwardsDoesNotShow() {
    int[] dims = {2, 3};
    Shape shape = Shape.of(dims);
    dims[0] = 9;
    shape.dims()[1] = 9;
    assertEquals(Shape.of(2, 3), shape);
  }

  @Test
  void aNegativeExtentIsRefused() {
    assertRefused("[shape] [2, -3] has a negative extent: extents are 0 or more.", 2, -3);
  }

  @Test
  void moreValuesThanAnArrayHoldsAreRefused() {
    assertEquals(Integer.MAX_VALUE, Shape.of(Integer.MAX_VALUE).size());
    assertRefused(
        "[shape] [46341, 46341] has more than 2^31-1 values, which no Java array holds.",
        46341,
        46341);
    assertRefused(
        "[shape] [65536, 65536, 65536, 65536] has more than 2^31-1 values, which no Java array"
            + " holds.",
        65536,
        65536,
        65536,
        65536);
    assertRefused(
        "[shape] [2147483647, 2147483647, 2147483647] has more than 2^31-1 values, which no Java"
            + " array holds.",
        Integer.MAX_VALUE,
        Integer.MAX_VALUE,
        Integer.MAX_VALUE);
  }

  private static void assertRefused(String sentence, int... dims) {
    var refusal = assertThrows(IllegalArgumentException.class, () -> Shape.of(dims));
    assertEquals(sentence, refusal.getMessage());
  }
}
