package io.github.kolors4j.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Files of a checkpoint are opened, mapped and checked. */
@Name("kolors4j.Load")
@Label("Load")
@Description("Files of a checkpoint are opened, mapped and checked.")
@Category("kolors4j")
@StackTrace(false)
public final class LoadEvent extends Event {
  /** What is opened: {@code checkpoint}, or {@code text_encoder} alone, where it is on demand. */
  @Label("Part")
  public String part = "";

  /** The folder. */
  @Label("Folder")
  public String folder = "";

  /** Begins without values. */
  public LoadEvent() {}
}
