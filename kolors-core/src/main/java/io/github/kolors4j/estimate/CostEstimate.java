package io.github.kolors4j.estimate;

/**
 * What a request will take, before it starts. Times are those of a machine that has the weights in
 * memory: reading them from the disk for the first time comes on top.
 *
 * @param text encoding the prompts; without those that are remembered
 * @param denoise all denoising steps of all images, and encoding an image to begin with
 * @param decode from latents to pictures
 * @param heapBytes the Java heap that it needs at most
 * @param mappedBytes of weights that one stage reads again and again, beside the heap: what the
 *     system cannot keep in memory comes from the disk in each step
 * @param diskBytes of weights that it reads
 */
public record CostEstimate(
    Stage text, Stage denoise, Stage decode, long heapBytes, long mappedBytes, long diskBytes) {

  /**
   * A stage.
   *
   * @param flop nominal floating-point operations, two a multiply-add
   * @param seconds how long they take
   */
  public record Stage(double flop, double seconds) {
    /**
     * The stage at a speed that was measured otherwise.
     *
     * @param flopPerSecond the speed
     * @return the same work
     */
    public Stage at(double flopPerSecond) {
      return new Stage(flop, flop / flopPerSecond);
    }
  }

  /**
   * All stages.
   *
   * @return seconds
   */
  public double totalSeconds() {
    return text.seconds + denoise.seconds + decode.seconds;
  }
}
