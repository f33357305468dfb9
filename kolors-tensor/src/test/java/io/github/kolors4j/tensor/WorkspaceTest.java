package io.github.kolors4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.kolors4j.tensor.ops.Attention;
import io.github.kolors4j.tensor.ops.Convolution;
import io.github.kolors4j.tensor.ops.MatMul;
import io.github.kolors4j.tensor.ops.Normalization;
import java.io.File;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.slf4j.Logger;

/** Who owns a tensor's memory, and for how long. */
class WorkspaceTest {
  private ThreadPool threads;
  private Workspace workspace;

  @BeforeEach
  void open() {
    threads = new ThreadPool(1);
    workspace = new Workspace(threads);
  }

  @AfterEach
  void close() {
    workspace.close();
    threads.close();
  }

  private static void assertClosed(String sentence, Executable use) {
    assertEquals(sentence, assertThrows(IllegalStateException.class, use).getMessage());
  }

  private static void assertGone(Tensor tensor) {
    assertClosed(
        "[tensor] used after its scope was closed: keep what must outlive a scope.", tensor::data);
  }

  @Test
  void theFirstSamplesAreAView() {
    Tensor all = workspace.copyOf(new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
    Tensor two = all.first(2);
    all.data()[0] = 7;
    assertEquals(Shape.of(2, 2), two.shape());
    assertArrayEquals(new float[] {7, 2, 3, 4}, two.toArray());
    assertEquals(0, all.first(0).shape().size());
    for (int n : new int[] {-1, 4}) {
      assertEquals(
          "[first] %d samples of [3, 2]: 0 to 3 can be taken.".formatted(n),
          assertThrows(IllegalArgumentException.class, () -> all.first(n)).getMessage());
    }
  }

  @Test
  void aTensorIsInvalidAfterItsScopeAndSoAreItsViews() {
    Tensor inner;
    Tensor view;
    try (Workspace.Scope _ = workspace.scope()) {
      inner = workspace.copyOf(new float[] {1, 2, 3, 4}, 2, 2);
      view = inner.reshape(4);
      assertArrayEquals(new float[] {1, 2, 3, 4}, view.toArray());
    }
    assertGone(inner);
    assertGone(view);
    assertThrows(IllegalStateException.class, inner::toArray);
    assertEquals("Tensor[2, 2]", inner.toString());
  }

  @Test
  void aKeptTensorOutlivesItsScopeAndAnotherKeepTheNext() {
    Tensor kept;
    Tensor keptOnce;
    try (Workspace.Scope outer = workspace.scope()) {
      try (Workspace.Scope middle = workspace.scope()) {
        try (Workspace.Scope inner = workspace.scope()) {
          kept = inner.keep(workspace.copyOf(new float[] {7}, 1));
          keptOnce = inner.keep(workspace.copyOf(new float[] {8}, 1));
        }
        assertEquals(7, kept.data()[0]);
        assertEquals(8, keptOnce.data()[0]);
        assertSame(kept, middle.keep(kept));
      }
      assertGone(keptOnce);
      outer.keep(kept.reshape(1, 1)); // a view keeps what it looks at
    }
    assertEquals(7, kept.data()[0]);
  }

  @Test
  void anOuterScopeMayKeepWhileAnInnerOneIsOpen() {
    Tensor kept;
    try (Workspace.Scope outer = workspace.scope()) {
      kept = workspace.copyOf(new float[] {7}, 1);
      try (Workspace.Scope _ = workspace.scope()) {
        outer.keep(kept);
      }
      assertEquals(7, kept.data()[0]);
    }
    assertEquals(7, kept.data()[0]);
  }

  @Test
  void keepingOrReleasingATensorOfAnOuterScopeChangesNothing() {
    Tensor mine = workspace.copyOf(new float[] {7}, 1);
    try (Workspace.Scope scope = workspace.scope()) {
      assertSame(mine, scope.keep(mine));
      scope.release(mine);
    }
    assertEquals(7, mine.data()[0]);
  }

  @Test
  void aReleasedTensorsMemoryIsTheNextTensors() {
    try (Workspace.Scope scope = workspace.scope()) {
      Tensor first = workspace.tensor(100, 10);
      float[] memory = first.data();
      scope.release(first);
      assertGone(first);
      scope.release(first); // twice is once
      assertSame(memory, workspace.tensor(1000).data());
      assertNotSame(memory, workspace.tensor(1000).data());
    }
  }

  @Test
  void closingAnOuterScopeClosesTheInnerOnes() {
    Workspace.Scope outer = workspace.scope();
    Workspace.Scope inner = workspace.scope();
    Tensor tensor = workspace.tensor(3);
    outer.close();
    assertGone(tensor);
    inner.close(); // has nothing left to do
    outer.close();
    assertEquals(Shape.of(4), workspace.tensor(4).shape());
  }

  @Test
  void twoLiveTensorsNeverShareMemory() {
    Tensor first = workspace.tensor(1000);
    try (Workspace.Scope _ = workspace.scope()) {
      assertNotSame(first.data(), workspace.tensor(1000).data());
      assertNotSame(first.data(), workspace.tensor(1000).data());
    }
    assertNotSame(first.data(), workspace.tensor(900).data());
  }

  @Test
  void aMuchLargerArrayDoesNotStandInForASmallOne() {
    try (Workspace.Scope scope = workspace.scope()) {
      scope.release(workspace.tensor(1000));
      assertEquals(10, workspace.tensor(10).data().length);
      assertEquals(1000, workspace.tensor(800).data().length);
    }
  }

  @Test
  void aClosedWorkspaceMakesNoTensorsAndNoScopes() {
    Tensor tensor = workspace.tensor(3);
    Workspace.Scope scope = workspace.scope();
    Tensor inner = workspace.tensor(3);
    workspace.close();
    workspace.close();
    scope.close();
    assertGone(tensor);
    assertGone(inner);
    assertClosed(
        "[workspace] is closed: no tensor can be made from it.", () -> workspace.tensor(3));
    assertClosed("[workspace] is closed: no scope can be opened.", () -> workspace.scope());
    assertClosed("[workspace] is closed: no panels can be had from it.", () -> workspace.panels(3));
  }

  @Test
  void aClosedWorkspaceLeavesItsMemoryToTheNextOneOfItsThreads() {
    float[] array;
    MemorySegment panels;
    try (Workspace first = new Workspace(threads)) {
      array = first.tensor(1000).data();
      panels = first.panels(100);
    }
    try (ThreadPool others = new ThreadPool(1);
        Workspace elsewhere = new Workspace(others);
        Workspace next = new Workspace(threads.stoppedBy(() -> false));
        Workspace beside = new Workspace(threads)) {
      assertNotSame(array, elsewhere.tensor(1000).data());
      assertSame(array, next.tensor(1000).data());
      assertSame(panels, next.panels(100));
      assertNotSame(array, beside.tensor(1000).data());
      assertNotSame(panels, beside.panels(100));
    }
  }

  @Test
  void ofSeveralTheOneThatWasClosedLastIsTakenFirstAndAsManyStayAsCompute() {
    int most = Runtime.getRuntime().availableProcessors();
    try (ThreadPool pool = new ThreadPool(most)) {
      List<MemorySegment> panels = new ArrayList<>();
      List<Workspace> open = new ArrayList<>();
      for (int i = 0; i < 2 + most; i++) {
        open.add(new Workspace(pool));
        panels.add(open.getLast().panels(100));
      }
      open.forEach(Workspace::close);
      assertEquals(
          IntStream.range(0, 2 + most).mapToObj(i -> i >= 2).toList(),
          panels.stream().map(each -> each.scope().isAlive()).toList());
      try (Workspace next = new Workspace(pool)) {
        assertSame(panels.getLast(), next.panels(100));
      }
    }
  }

  @Test
  void muchMemoryIsLeftToTheCollectorAndThatOfThreadsThatAreGoneToo() {
    int much = (int) (WorkMemory.MOST_KEPT_BYTES / Float.BYTES);
    MemorySegment panels;
    try (Workspace first = new Workspace(threads)) {
      first.tensor(much);
      panels = first.panels(1);
    }
    assertFalse(panels.scope().isAlive());
    try (Workspace second = new Workspace(threads)) {
      second.tensor(much - 100);
      panels = second.panels(100);
    }
    assertTrue(panels.scope().isAlive());
    threads.close();
    assertFalse(panels.scope().isAlive());
    try (Workspace third = new Workspace(threads)) {
      panels = third.panels(100);
    }
    assertFalse(panels.scope().isAlive());
  }

  @Test
  void aWorkspaceThatIsClosedHasNothingToGiveBackAnyMore() {
    Workspace first = new Workspace(threads);
    MemorySegment panels = first.panels(100);
    first.close();
    first.trim();
    first.close();
    try (Workspace second = new Workspace(threads);
        Workspace third = new Workspace(threads)) {
      assertSame(panels, second.panels(100));
      assertNotSame(panels, third.panels(100));
    }
  }

  @Test
  void valuesThatDoNotFillTheShapeAreRefused() {
    var refusal =
        assertThrows(IllegalArgumentException.class, () -> workspace.copyOf(new float[5], 2, 3));
    assertEquals("[tensor] 5 values do not fill [2, 3], which has 6.", refusal.getMessage());
  }

  @Test
  void aViewOfAnotherNumberOfValuesIsRefused() {
    Tensor tensor = workspace.tensor(2, 3);
    var refusal = assertThrows(IllegalArgumentException.class, () -> tensor.reshape(5));
    assertEquals(
        "[reshape] [2, 3] has 6 values and [5] has 5: they must be equal.", refusal.getMessage());
  }

  @Test
  void aTensorIsOfTheShapeAndWorkspaceThatItWasMadeWith() {
    Tensor tensor = workspace.tensor(2, 3);
    assertEquals(3, tensor.dim(-1));
    assertEquals(2, tensor.dim(0));
    assertSame(workspace, tensor.workspace());
    assertSame(threads, workspace.threads());
  }

  /** One round of a loop, with about 9 MB of activations; what it makes is handed over. */
  private void round(Tensor x, Weight[] weights, Consumer<Tensor> made) {
    try (Workspace.Scope _ = workspace.scope()) {
      Tensor y = Normalization.layerNorm(x, 1e-5f, weights[0], weights[0]);
      made.accept(y);
      y = MatMul.linear(y, weights[1], weights[0], x);
      made.accept(y);
      y = Attention.scaledDotProduct(y, y, y, Attention.Heads.of(4, 16), null);
      made.accept(y);
      Tensor map = y.reshape(1, 32, 32, 16);
      map = Normalization.groupNormSilu(map, 4, 1e-5f, weights[2], weights[2]);
      made.accept(map);
      made.accept(Convolution.conv2d(map, weights[3], weights[2], new Convolution.Geometry(1, 1)));
      for (int i = 0; i < 4; i++) {
        made.accept(workspace.tensor(512 * 1024));
      }
    }
  }

  private static Weight[] weights() {
    return new Weight[] {
      Values.weight(1, 64),
      Values.weight(2, 64, 64),
      Values.weight(3, 16),
      Values.weight(4, 16, 16, 3, 3)
    };
  }

  @Test
  @Tag("once")
  void theSecondRoundOfALoopUsesTheArraysOfTheFirst() {
    Weight[] weights = weights();
    Tensor x = workspace.copyOf(Values.random(5, 256 * 64), 1, 256, 64);
    Set<float[]> first = Collections.newSetFromMap(new IdentityHashMap<>());
    round(x, weights, tensor -> first.add(tensor.data()));
    assertEquals(9, first.size());
    for (int i = 0; i < 3; i++) {
      round(x, weights, tensor -> assertTrue(first.contains(tensor.data()), tensor + " is new"));
    }
  }

  /** Cold vector code allocates its vectors, so the loop runs until it is compiled. */
  @Test
  @Tag("large")
  void aLoopOfTheSameShapesEndsUpAllocatingNothingLarge() {
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Weight[] weights = weights();
    Tensor x = workspace.copyOf(Values.random(5, 256 * 64), 1, 256, 64);
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 10_000 && least >= 500_000; i++) {
      long before = bean.getCurrentThreadAllocatedBytes();
      round(x, weights, _ -> {});
      least = Math.min(least, bean.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < 500_000, "no round allocated less than " + least + " bytes");
  }

  /** In a JVM of its own, with a heap that can be filled. */
  @Test
  @Tag("once")
  void aFullHeapTakesTheArraysThatAreFree() throws Exception {
    String printed = onSmallHeap(FullHeap.class);
    assertTrue(printed.endsWith("40 MB twice"), printed);
  }

  /** Nor would a request that fails for the heap be able to give back what it has. */
  @Test
  @Tag("once")
  void givingBackNeedsNoHeap() throws Exception {
    String printed = onSmallHeap(GivesBack.class);
    assertTrue(printed.endsWith("all given back"), printed);
  }

  private static String onSmallHeap(Class<?> program) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                String.join(
                    File.pathSeparator,
                    folder(Workspace.class).toString(),
                    folder(program).toString(),
                    jar(Logger.class).toString()),
                program.getName())
            .redirectErrorStream(true)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), printed);
    return printed;
  }

  @Test
  void ofFreeArraysTheShortestThatFitsIsTakenAndOfEqualOnesTheLastGivenBack() {
    try (Workspace.Scope scope = workspace.scope()) {
      Tensor[] made = new Tensor[40];
      float[][] arrays = new float[made.length][];
      for (int i = 0; i < made.length; i++) {
        made[i] = workspace.tensor(100 + i % 20); // each length twice
        arrays[i] = made[i].data();
      }
      for (int i : new int[] {7, 35, 15, 0, 39, 19, 27}) {
        scope.release(made[i]);
      }
      assertSame(arrays[0], workspace.tensor(90).data());
      assertSame(arrays[27], workspace.tensor(107).data());
      assertSame(arrays[7], workspace.tensor(101).data());
      assertSame(arrays[15], workspace.tensor(108).data()); // 35 was given back before
      assertSame(arrays[35], workspace.tensor(108).data());
      assertSame(arrays[19], workspace.tensor(119).data());
      assertSame(arrays[39], workspace.tensor(119).data());
    }
  }

  private static Path jar(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static Path folder(Class<?> type) throws Exception {
    int names = type.getName().split("\\.").length;
    Path file = Path.of(type.getResource(type.getSimpleName() + ".class").toURI());
    for (int i = 0; i < names; i++) {
      file = file.getParent();
    }
    return file;
  }

  @Test
  void panelsBeginOnCacheLinesGrowAndAreGivenAgain() {
    Scratch scratch = new Scratch();
    Scratch.Slot<MemorySegment> some = Scratch.Slot.panels("some");
    Scratch.Slot<MemorySegment> others = Scratch.Slot.panels("others");
    assertPanels(length -> scratch.get(some, length), length -> scratch.get(others, length));
    try (Workspace other = new Workspace(threads)) {
      assertPanels(workspace::panels, other::panels);
    }
  }

  private static void assertPanels(
      IntFunction<MemorySegment> some, IntFunction<MemorySegment> others) {
    MemorySegment small = some.apply(10);
    assertSame(small, some.apply(5));
    assertNotSame(small, others.apply(10));
    MemorySegment large = some.apply(11);
    assertTrue(large.byteSize() >= 44);
    assertSame(large, some.apply(10));
    assertEquals(0, small.address() % 64);
    assertEquals(0, large.address() % 64);
  }
}
