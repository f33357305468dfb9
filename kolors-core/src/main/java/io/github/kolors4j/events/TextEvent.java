package io.github.kolors4j.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Prompts are encoded, or found among those that are remembered. */
@Name("kolors4j.Text")
@Label("Text")
@Description("Prompts are encoded, or found among those that are remembered.")
@Category("kolors4j")
@StackTrace(false)
public final class TextEvent extends Event {
  /** How many prompts. */
  @Label("Prompts")
  public int prompts;

  /** How many of them were remembered, and not encoded. */
  @Label("Remembered")
  public int remembered;

  /** Tokens of each. */
  @Label("Tokens")
  public int tokens;

  /** Begins without values. */
  public TextEvent() {}
}
