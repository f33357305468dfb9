package io.github.kolors4j.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A request, from the call to its last picture. */
@Name("kolors4j.Request")
@Label("Request")
@Description("A request, from the call to its last picture.")
@Category("kolors4j")
@StackTrace(false)
public final class RequestEvent extends Event {
  /** How many pictures it asks for. */
  @Label("Images")
  public int images;

  /** Of each picture, in pixels. */
  @Label("Width")
  public int width;

  /** Of each picture, in pixels. */
  @Label("Height")
  public int height;

  /** Denoising steps of each picture. */
  @Label("Steps")
  public int steps;

  /** Spent on its texts. */
  @Label("Text")
  @Timespan(Timespan.NANOSECONDS)
  public long text;

  /** Spent on its steps. */
  @Label("Denoise")
  @Timespan(Timespan.NANOSECONDS)
  public long denoise;

  /** Spent on decoding. */
  @Label("Decode")
  @Timespan(Timespan.NANOSECONDS)
  public long decode;

  /** {@code done}, or the class of what has ended it. */
  @Label("Outcome")
  public String outcome = "";

  /** Begins without values. */
  public RequestEvent() {}
}
