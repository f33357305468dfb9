package io.github.kolors4j.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The Java heap at the end of a stage. */
@Name("kolors4j.Memory")
@Label("Memory")
@Description("The Java heap at the end of a stage.")
@Category("kolors4j")
@StackTrace(false)
public final class MemoryEvent extends Event {
  /** Which stage has ended: {@code text}, {@code denoise} or {@code decode}. */
  @Label("Stage")
  public String stage = "";

  /** In use, with what is garbage and not collected yet. */
  @Label("Heap Used")
  @DataAmount
  public long heapUsed;

  /** What the heap has taken from the system. */
  @Label("Heap Committed")
  @DataAmount
  public long heapCommitted;

  /** What it may take at most. */
  @Label("Heap Maximum")
  @DataAmount
  public long heapMaximum;

  /** Begins without values. */
  public MemoryEvent() {}

  /**
   * Tells how the heap is now, where somebody listens.
   *
   * @param stage that has ended
   */
  public static void tell(String stage) {
    MemoryEvent event = new MemoryEvent();
    if (event.shouldCommit()) {
      Runtime runtime = Runtime.getRuntime();
      event.stage = stage;
      event.heapUsed = runtime.totalMemory() - runtime.freeMemory();
      event.heapCommitted = runtime.totalMemory();
      event.heapMaximum = runtime.maxMemory();
      event.commit();
    }
  }
}
