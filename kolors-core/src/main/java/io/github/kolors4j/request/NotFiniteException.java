package io.github.kolors4j.request;

/**
 * A request came to a value that is NaN or infinite, of which nothing but a black picture can
 * become: by weights that hold such a value or overflow, or by extreme settings. {@link
 * Compatibility#DIFFUSERS} lets a request go on to diffusers' picture.
 */
public final class NotFiniteException extends ArithmeticException {
  private static final long serialVersionUID = 1;

  private final Stage stage;
  private final int image;
  private final int step;

  /**
   * A value that is not finite.
   *
   * @param message what gave it, where, and what may help
   * @param stage the stage
   * @param image index of the image that was being made, from 0
   * @param step which step of the stage gave it, from 1; 0 where it was there before the first
   */
  public NotFiniteException(String message, Stage stage, int image, int step) {
    super(message);
    this.stage = stage;
    this.image = image;
    this.step = step;
  }

  /**
   * What was being done.
   *
   * @return the stage
   */
  public Stage stage() {
    return stage;
  }

  /**
   * Which image was being made.
   *
   * @return its index, from 0; 0 for {@link Stage#TEXT}
   */
  public int image() {
    return image;
  }

  /**
   * Which step gave the value.
   *
   * @return from 1, as in {@link Progress#step}; 0 where it was there before the first
   */
  public int step() {
    return step;
  }
}
