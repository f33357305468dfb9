package io.github.kolors4j.scheduler;

/** The run of one image: the checks that all solvers need, around what each does. */
abstract class Solver implements Schedule.Run {
  final Tables tables;

  Solver(Tables tables) {
    this.tables = tables;
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

  /** What the model's input is divided by. */
  float inputDivisor(int stepIndex) {
    return 1;
  }

  /** That of samples which are the picture with noise added. */
  static float divisorOf(float sigma) {
    return (float) Math.sqrt(sigma * sigma + 1);
  }

  /** The model's output without what it may predict beside it. */
  Slice meanOf(Slice modelOutput, int length) {
    Tables.checkLength("model output", modelOutput, length);
    return modelOutput;
  }

  /** Takes the step; all lengths agree. */
  abstract void advance(int stepIndex, Slice modelOutput, Slice sample);
}
