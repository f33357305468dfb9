package io.github.kolors4j.scheduler;

/** The run of one image: the checks that all solvers need, around what each does. */
abstract class Solver implements Schedule.Run {
  final Tables tables;
  final NoiseSource noise;

  /**
   * A run at its beginning.
   *
   * @param noise of the image; deterministic solvers do not draw from it
   */
  Solver(Tables tables, NoiseSource noise) {
    this.tables = tables;
    this.noise = noise;
  }

  @Override
  public final void scaleModelInput(int stepIndex, Slice sample, Slice scaled) {
    tables.checkStep(stepIndex);
    Tables.checkLength("scaled", scaled, sample.length());
    float divisor = inputDivisor(stepIndex);
    for (int i = 0; i < sample.length(); i++) {
      scaled.set(i, sample.get(i) / divisor);
    }
  }

  @Override
  public final void step(int stepIndex, Slice modelOutput, Slice sample) {
    tables.checkStep(stepIndex);
    advance(stepIndex, meanOf(modelOutput, sample.length()), sample);
  }

  @Override
  public final void predictOriginalSample(
      int stepIndex, Slice modelOutput, Slice sample, Slice original) {
    tables.checkStep(stepIndex);
    Tables.checkLength("original sample", original, sample.length());
    denoise(stepIndex, meanOf(modelOutput, sample.length()), sample, original);
  }

  /** The sample without its noise; all lengths agree. */
  void denoise(int stepIndex, Slice modelOutput, Slice sample, Slice original) {
    Level level = tables.level(stepIndex);
    for (int i = 0; i < sample.length(); i++) {
      original.set(
          i, tables.predictionType().originalSample(sample.get(i), modelOutput.get(i), level));
    }
  }

  /** What the model's input is divided by. */
  float inputDivisor(int stepIndex) {
    return 1;
  }

  /** The model's output without what it may predict beside it. */
  Slice meanOf(Slice modelOutput, int length) {
    Tables.checkLength("model output", modelOutput, length);
    return modelOutput;
  }

  /** New standard normals for each value of a sample. */
  final float[] draw(Slice sample) {
    float[] drawn = new float[sample.length()];
    noise.draw(drawn);
    return drawn;
  }

  /** Takes the step; all lengths agree. */
  abstract void advance(int stepIndex, Slice modelOutput, Slice sample);
}
