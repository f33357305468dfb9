package io.github.kolors4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.tensor.Scratch.Slot;
import io.github.kolors4j.tensor.ops.MatMul;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Buffers by slot: who has a buffer has it alone. */
class ScratchTest {
  private final Scratch scratch = new Scratch();

  @Test
  void aSlotGrowsAndIsGivenAgain() {
    Slot<float[]> slot = Slot.floats("values");
    float[] small = scratch.get(slot, 10);
    assertSame(small, scratch.get(slot, 5));
    assertSame(small, scratch.get(slot, 10));
    float[] large = scratch.get(slot, 11);
    assertTrue(large.length >= 11);
    assertSame(large, scratch.get(slot, 10));
  }

  @Test
  void slotsOfTheSameNameAreStillTwo() {
    assertNotSame(scratch.get(Slot.floats("values"), 10), scratch.get(Slot.floats("values"), 10));
    assertEquals("values", Slot.floats("values").toString());
  }

  @Test
  void theNextDepthHasOtherBuffersForTheSameSlots() {
    Slot<float[]> slot = Slot.floats("values");
    float[] outer = scratch.get(slot, 10);
    float[] inner = scratch.inner().get(slot, 10);
    assertNotSame(outer, inner);
    assertNotSame(inner, scratch.inner().inner().get(slot, 10));
    assertSame(inner, scratch.inner().get(slot, 10));
    assertSame(outer, scratch.get(slot, 10));
  }

  /** So that nobody else can ask for it, and none is made for each object or call. */
  @Test
  void everySlotOfTheOperationsIsAPrivateConstantOfTheClassThatUsesIt() throws Exception {
    List<Field> slots = slots(MatMul.class);
    assertTrue(slots.size() > 10, slots.toString());
    for (Field slot : slots) {
      int modifiers = slot.getModifiers();
      assertTrue(
          Modifier.isPrivate(modifiers)
              && Modifier.isStatic(modifiers)
              && Modifier.isFinal(modifiers),
          slot.toString());
    }
  }

  /** All fields of a slot's type in the package of a class. */
  private static List<Field> slots(Class<?> type) throws Exception {
    Path folder = Path.of(type.getResource(type.getSimpleName() + ".class").toURI()).getParent();
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".class") && !name.equals("package-info.class"))
          .map(name -> type.getPackageName() + "." + name.replace(".class", ""))
          .flatMap(name -> Stream.of(load(name).getDeclaredFields()))
          .filter(field -> field.getType() == Slot.class)
          .toList();
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, ScratchTest.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }
}
