package io.github.kolors4j.scheduler;

/**
 * The noise levels and the preconditioning of Karras et al.: what goes into the model is scaled to
 * unit variance, and its output is added to a part of the sample.
 */
record Edm(
    SigmaRange range,
    double sigmaData,
    SigmaSchedule sigmaSchedule,
    double rho,
    PredictionType predictionType) {
  /** How sigmas lie. */
  enum SigmaSchedule {
    KARRAS,
    EXPONENTIAL
  }

  static final Option<Double> SIGMA_DATA =
      Option.number("sigma_data", "the standard deviation of the pictures that were learnt from")
          .where("a number above 0", sigma -> sigma > 0);

  static final Option<SigmaSchedule> SIGMA_SCHEDULE =
      Option.choice("sigma_schedule", "how noise levels lie", SigmaSchedule.class);

  static final Option<Double> RHO =
      Option.number("rho", "karras: noise levels are even in this root")
          .where("a number above 0", rho -> rho > 0);

  static final Option<PredictionType> PREDICTION_TYPE =
      SharedOptions.PREDICTION_TYPE.only(PredictionType.EPSILON, PredictionType.V_PREDICTION);

  static Edm of(OptionValues options) {
    return new Edm(
        SigmaEnds.of(options).or(80, 0.002),
        options.get(SIGMA_DATA),
        options.get(SIGMA_SCHEDULE),
        options.get(RHO),
        options.get(PREDICTION_TYPE));
  }

  /** Sigmas over an even ramp from 0 to 1, computed in double and rounded to F32 once. */
  float[] sigmas(double[] ramp) {
    double min = StrictMath.pow(range.min(), 1 / rho);
    double max = StrictMath.pow(range.max(), 1 / rho);
    float[] sigmas = new float[ramp.length];
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] = (float) StrictMath.pow(max + ramp[i] * (min - max), rho);
    }
    return sigmaSchedule == SigmaSchedule.KARRAS ? sigmas : exponential(ramp.length);
  }

  /** Sigmas over an even ramp from 0 to 1, every operation rounded to F32 as in diffusers. */
  float[] sigmas(float[] ramp) {
    double min = StrictMath.pow(range.min(), 1 / rho);
    double max = StrictMath.pow(range.max(), 1 / rho);
    float[] sigmas = new float[ramp.length];
    for (int i = 0; i < sigmas.length; i++) {
      float root = (float) max + ramp[i] * (float) (min - max);
      sigmas[i] = (float) StrictMath.pow(root, rho);
    }
    return sigmaSchedule == SigmaSchedule.KARRAS ? sigmas : exponential(ramp.length);
  }

  private float[] exponential(int n) {
    float[] logs = Grid.torchLinspace(StrictMath.log(range.min()), StrictMath.log(range.max()), n);
    float[] sigmas = new float[n];
    for (int i = 0; i < n; i++) {
      sigmas[i] = Level.exp(logs[n - 1 - i]);
    }
    return sigmas;
  }

  /** The model is told ln(σ)/4. */
  static double[] timesteps(float[] sigmas) {
    double[] timesteps = new double[sigmas.length];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = 0.25 * Level.log(sigmas[i]);
    }
    return timesteps;
  }

  double initNoiseSigma() {
    return Math.sqrt(range.max() * range.max() + 1);
  }

  float inputDivisor(float sigma) {
    return (float) Math.sqrt(sigma * sigma + (float) (sigmaData * sigmaData));
  }

  /** The picture that the model predicts. */
  void denoise(float sigma, Slice modelOutput, Slice sample, Slice denoised) {
    float data = (float) sigmaData;
    float dataVariance = (float) (sigmaData * sigmaData);
    float variance = sigma * sigma + dataVariance;
    float cSkip = dataVariance / variance;
    float sign = predictionType == PredictionType.EPSILON ? sigma : -sigma;
    float cOut = sign * data / (float) Math.sqrt(variance);
    for (int i = 0; i < sample.length(); i++) {
      denoised.set(i, cSkip * sample.get(i) + cOut * modelOutput.get(i));
    }
  }
}
