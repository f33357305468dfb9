package io.github.kolors4j.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A request waits for its turn. */
@Name("kolors4j.Queue")
@Label("Queue")
@Description("A request waits for its turn.")
@Category("kolors4j")
@StackTrace(false)
public final class QueueEvent extends Event {
  /** Whose it is, as far as somebody has said. */
  @Label("Request")
  public String request = "";

  /** Requests that waited before it when it came. */
  @Label("Before")
  public int before;

  /** Begins without values. */
  public QueueEvent() {}
}
