package io.github.kolors4j.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The VAE makes a picture of latents. */
@Name("kolors4j.Decode")
@Label("Decode")
@Description("The VAE makes a picture of latents.")
@Category("kolors4j")
@StackTrace(false)
public final class DecodeEvent extends Event {
  /** Which picture of the request, from 0. */
  @Label("Image")
  public int image;

  /** Of the picture, in pixels. */
  @Label("Width")
  public int width;

  /** Of the picture, in pixels. */
  @Label("Height")
  public int height;

  /** Whether tile by tile. */
  @Label("Tiling")
  public boolean tiling;

  /** Begins without values. */
  public DecodeEvent() {}
}
