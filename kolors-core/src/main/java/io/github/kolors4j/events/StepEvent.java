package io.github.kolors4j.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The U-Net and the scheduler take one step of one picture. */
@Name("kolors4j.Step")
@Label("Denoising Step")
@Description("The U-Net and the scheduler take one step of one picture.")
@Category("kolors4j")
@StackTrace(false)
public final class StepEvent extends Event {
  /** Which picture of the request, from 0. */
  @Label("Image")
  public int image;

  /** Which step, from 1. */
  @Label("Step")
  public int step;

  /** Of how many. */
  @Label("Steps")
  public int steps;

  /** The timestep, 1000 to 0. */
  @Label("Timestep")
  public float timestep;

  /** Samples that the U-Net computes: 1, 2 under guidance, one more for perturbed attention. */
  @Label("Samples")
  public int samples;

  /** Of the picture, in pixels. */
  @Label("Width")
  public int width;

  /** Of the picture, in pixels. */
  @Label("Height")
  public int height;

  /** Begins without values. */
  public StepEvent() {}
}
