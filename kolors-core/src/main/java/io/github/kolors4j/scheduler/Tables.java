package io.github.kolors4j.scheduler;

/** The tables of a schedule, and the checks that each of its steps needs. */
final class Tables implements Schedule {
  /** Makes the run of one image. */
  @FunctionalInterface
  interface Starter {
    Run start(Tables tables, NoiseSource noise, double eta);
  }

  private final String name;
  private final int order;
  private final float[] timesteps;
  private final float[] sigmas;
  private final Level[] levels;
  private final float initNoiseSigma;
  private final Starter starter;
  private final PredictionType predictionType;

  private Tables(
      String name,
      int order,
      double[] timesteps,
      float[] sigmas,
      Level[] levels,
      double initNoiseSigma,
      Starter starter) {
    this(
        name,
        order,
        floats(timesteps),
        sigmas,
        levels,
        (float) initNoiseSigma,
        starter,
        PredictionType.EPSILON);
  }

  private Tables(
      String name,
      int order,
      float[] timesteps,
      float[] sigmas,
      Level[] levels,
      float initNoiseSigma,
      Starter starter,
      PredictionType predictionType) {
    this.name = name;
    this.order = order;
    this.timesteps = timesteps;
    this.sigmas = sigmas;
    this.levels = levels;
    this.initNoiseSigma = initNoiseSigma;
    this.starter = starter;
    this.predictionType = predictionType;
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  /** The same, for a model whose output means something else than noise. */
  Tables predicting(PredictionType type) {
    return new Tables(name, order, timesteps, sigmas, levels, initNoiseSigma, starter, type);
  }

  /** What the model's output means. */
  PredictionType predictionType() {
    return predictionType;
  }

  /**
   * Of samples that are the picture with noise added, sigma before each step and after the last.
   */
  static Tables exploding(
      String name,
      int order,
      double[] timesteps,
      float[] sigmas,
      double initNoiseSigma,
      Starter starter) {
    Level[] levels = new Level[sigmas.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Level.exploding(sigmas[i]);
    }
    return new Tables(name, order, timesteps, sigmas, levels, initNoiseSigma, starter);
  }

  /** Tables of a scheduler whose samples keep a variance of 1 in every step. */
  static Tables preserving(String name, double[] timesteps, float[] sigmas, Starter starter) {
    Level[] levels = new Level[sigmas.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Level.preserving(sigmas[i]);
    }
    return new Tables(name, 1, timesteps, sigmas, levels, 1, starter);
  }

  /**
   * The same, from the levels of trained timesteps.
   *
   * @param last what is left of the picture's variance after the last step
   */
  static Tables trained(
      String name, double[] timesteps, NoiseSchedule noise, float last, Starter starter) {
    Level[] levels = new Level[timesteps.length + 1];
    float[] sigmas = new float[levels.length];
    for (int i = 0; i < levels.length; i++) {
      float left = i < timesteps.length ? noise.alphaCumprod((int) timesteps[i]) : last;
      levels[i] = Level.ofAlphaCumprod(left);
      sigmas[i] = (float) Math.sqrt((1 - (double) left) / left);
    }
    return new Tables(name, 1, timesteps, sigmas, levels, 1, starter);
  }

  @Override
  public float[] timesteps() {
    return timesteps.clone();
  }

  @Override
  public float[] sigmas() {
    return sigmas.clone();
  }

  @Override
  public float initNoiseSigma() {
    return initNoiseSigma;
  }

  @Override
  public int order() {
    return order;
  }

  @Override
  public void addNoise(int stepIndex, Slice original, Slice noise, Slice noisy) {
    checkStep(stepIndex);
    checkLength("noise", noise, original.length());
    checkLength("noisy sample", noisy, original.length());
    Level level = levels[stepIndex];
    for (int i = 0; i < original.length(); i++) {
      noisy.set(i, level.alpha() * original.get(i) + level.sigma() * noise.get(i));
    }
  }

  @Override
  public Run start(NoiseSource noise) {
    return start(noise, 0);
  }

  @Override
  public Run start(NoiseSource noise, double eta) {
    return starter.start(this, noise, eta);
  }

  int stepCount() {
    return timesteps.length;
  }

  int timestep(int index) {
    return (int) timesteps[index];
  }

  float sigma(int index) {
    return sigmas[index];
  }

  int sigmaCount() {
    return sigmas.length;
  }

  Level level(int index) {
    return levels[index];
  }

  void checkStep(int stepIndex) {
    if (stepIndex < 0 || stepIndex >= timesteps.length) {
      throw new IllegalArgumentException(
          "[scheduler] "
              + name
              + " has no step "
              + stepIndex
              + ": its steps are 0 to "
              + (timesteps.length - 1)
              + ".");
    }
  }

  static void checkLength(String what, Slice slice, int length) {
    if (slice.length() != length) {
      throw new IllegalArgumentException(
          "[scheduler] "
              + what
              + " has "
              + slice.length()
              + " values: the sample has "
              + length
              + ", and they must agree.");
    }
  }
}
