package io.github.kolors4j.scheduler;

import io.github.kolors4j.scheduler.DpmSolver.AlgorithmType;
import io.github.kolors4j.scheduler.DpmSolver.Coefficients;
import io.github.kolors4j.scheduler.DpmSolver.SolverType;

/** Solvers of order 1 to 3 that look back on former predictions. */
abstract class DpmMultistepSolver extends Solver {
  /** With few steps the last ones are of lower order, for stability. */
  static final int FEW_STEPS = 15;

  /** What the configuration says of them. */
  record Options(
      AlgorithmType algorithmType,
      int solverOrder,
      SolverType solverType,
      boolean lowerOrderFinal,
      boolean eulerAtFinal,
      FinalSigmasType finalSigmasType) {
    static Options of(OptionValues options) {
      return new Options(
          options.get(DpmSolver.ALGORITHM_TYPE),
          options.get(DpmSolver.SOLVER_ORDER),
          options.get(DpmSolver.SOLVER_TYPE),
          options.get(DpmSolver.LOWER_ORDER_FINAL),
          options.get(DpmSolver.EULER_AT_FINAL),
          options.get(SharedOptions.FINAL_SIGMAS_TYPE));
    }
  }

  private final Options options;

  /** Predictions of the latest steps. */
  private final History predictions;

  private float[] drawn = new float[0];

  DpmMultistepSolver(Options options, Tables tables, NoiseSource noise) {
    super(tables, noise);
    this.options = options;
    this.predictions = new History(options.solverOrder);
  }

  /** Makes a picture of the model's output, or noise, as the algorithm needs it. */
  abstract void predict(int stepIndex, Slice modelOutput, Slice sample, float[] prediction);

  @Override
  final void advance(int stepIndex, Slice modelOutput, Slice sample) {
    predict(stepIndex, modelOutput, sample, predictions.push(sample.length()));
    boolean drawsNoise = options.algorithmType.drawsNoise();
    drawn = new float[drawsNoise ? sample.length() : 0];
    if (drawsNoise) {
      noise.draw(drawn);
    }
    if (tables.sigma(stepIndex) == tables.sigma(stepIndex + 1)) {
      return; // from the least sigma to itself: nothing moves, where the formulas divide 0 by 0
    }
    switch (order(stepIndex)) {
      case 1 -> firstOrderUpdate(stepIndex, sample);
      case 2 -> secondOrderUpdate(stepIndex, sample);
      default -> thirdOrderUpdate(stepIndex, sample);
    }
  }

  /** The order of a step: less than asked for while predictions are few, and towards the end. */
  private int order(int stepIndex) {
    int left = tables.stepCount() - stepIndex;
    boolean lowered = options.lowerOrderFinal && tables.stepCount() < FEW_STEPS;
    boolean zero = options.finalSigmasType == FinalSigmasType.ZERO;
    if (left == 1 && (options.eulerAtFinal || lowered || zero)) {
      return 1;
    }
    return Math.min(predictions.count(), left == 2 && lowered ? 2 : options.solverOrder);
  }

  private void firstOrderUpdate(int stepIndex, Slice sample) {
    Coefficients c = coefficients(stepIndex, midpoint());
    float[] m0 = predictions.get(0);
    for (int i = 0; i < m0.length; i++) {
      sample.set(i, c.sample() * sample.get(i) + c.d0() * m0[i] + noise(c, i));
    }
  }

  private void secondOrderUpdate(int stepIndex, Slice sample) {
    Level t = tables.level(stepIndex + 1);
    Level s0 = tables.level(stepIndex);
    Level s1 = tables.level(stepIndex - 1);
    float r0 = (s0.lambda() - s1.lambda()) / (t.lambda() - s0.lambda());
    Coefficients c = coefficients(stepIndex, midpoint());
    float[] m0 = predictions.get(0);
    float[] m1 = predictions.get(1);
    for (int i = 0; i < m0.length; i++) {
      float d1 = 1 / r0 * (m0[i] - m1[i]);
      sample.set(i, c.sample() * sample.get(i) + c.d0() * m0[i] + c.d1() * d1 + noise(c, i));
    }
  }

  private void thirdOrderUpdate(int stepIndex, Slice sample) {
    Level t = tables.level(stepIndex + 1);
    Level s0 = tables.level(stepIndex);
    Level s1 = tables.level(stepIndex - 1);
    Level s2 = tables.level(stepIndex - 2);
    float h = t.lambda() - s0.lambda();
    float r0 = (s0.lambda() - s1.lambda()) / h;
    float r1 = (s1.lambda() - s2.lambda()) / h;
    Coefficients c = coefficients(stepIndex, false);
    float[] m0 = predictions.get(0);
    float[] m1 = predictions.get(1);
    float[] m2 = predictions.get(2);
    for (int i = 0; i < m0.length; i++) {
      float newer = 1 / r0 * (m0[i] - m1[i]);
      float older = 1 / r1 * (m1[i] - m2[i]);
      float d1 = newer + r0 / (r0 + r1) * (newer - older);
      float d2 = 1 / (r0 + r1) * (newer - older);
      sample.set(
          i, c.sample() * sample.get(i) + c.d0() * m0[i] + c.d1() * d1 + c.d2() * d2 + noise(c, i));
    }
  }

  private Coefficients coefficients(int stepIndex, boolean midpoint) {
    Level t = tables.level(stepIndex + 1);
    return DpmSolver.coefficients(options.algorithmType, t, tables.level(stepIndex), midpoint);
  }

  private boolean midpoint() {
    return options.solverType == SolverType.MIDPOINT;
  }

  private float noise(Coefficients c, int i) {
    return options.algorithmType.drawsNoise() ? c.noise() * drawn[i] : 0;
  }
}
