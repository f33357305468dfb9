package io.github.kolors4j.scheduler;

import static io.github.kolors4j.scheduler.SharedOptions.*;

import java.util.List;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * How much noise each training timestep holds, from the betas of the configuration.
 *
 * <p>F32 and double stand where PyTorch and NumPy have them, since sigmas are compared to the ulp.
 */
final class NoiseSchedule {
  private final float[] alphasCumprod;
  private final float[] sigmas;
  private final float[] logSigmas;

  private NoiseSchedule(float[] alphasCumprod) {
    int n = alphasCumprod.length;
    this.alphasCumprod = alphasCumprod;
    this.sigmas = new float[n];
    this.logSigmas = new float[n];
    for (int t = 0; t < n; t++) {
      // rounded once: torch rounds each operation, and its square root is off by an ulp one time in
      // five
      sigmas[t] = (float) Math.sqrt((1 - (double) alphasCumprod[t]) / alphasCumprod[t]);
      logSigmas[t] = NumpyLog.log(sigmas[t]);
    }
  }

  /**
   * The schedule of a configuration; where it has {@code rescale_betas_zero_snr}, the last timestep
   * is noise alone.
   */
  static NoiseSchedule of(OptionValues options) {
    return new NoiseSchedule(alphasCumprod(rescaled(options)));
  }

  /**
   * The schedule of a configuration whose sigmas must be finite: with {@code
   * rescale_betas_zero_snr} the last timestep is just short of noise alone.
   */
  static NoiseSchedule withFiniteSigmas(OptionValues options) {
    float[] alphasCumprod = alphasCumprod(rescaled(options));
    if (rescales(options)) {
      alphasCumprod[alphasCumprod.length - 1] = 0x1p-24f;
    }
    return new NoiseSchedule(alphasCumprod);
  }

  /**
   * Whether betas are rescaled; a class without the option ignores what another left in the file.
   */
  private static boolean rescales(OptionValues options) {
    return options.has(RESCALE_BETAS_ZERO_SNR) && options.get(RESCALE_BETAS_ZERO_SNR);
  }

  private static float[] rescaled(OptionValues options) {
    float[] betas = betas(options);
    return rescales(options) ? rescaleZeroTerminalSnr(betas) : betas;
  }

  private static float[] betas(OptionValues options) {
    int n = options.get(NUM_TRAIN_TIMESTEPS);
    Optional<List<Double>> trained = options.get(TRAINED_BETAS);
    if (trained.isPresent()) {
      return trainedBetas(trained.get());
    }
    return switch (options.get(BETA_SCHEDULE)) {
      case LINEAR -> Grid.torchLinspace(options.get(BETA_START), options.get(BETA_END), n);
      case SCALED_LINEAR -> {
        double start = Math.sqrt(options.get(BETA_START));
        float[] betas = Grid.torchLinspace(start, Math.sqrt(options.get(BETA_END)), n);
        for (int t = 0; t < n; t++) {
          betas[t] *= betas[t];
        }
        yield betas;
      }
      case SQUAREDCOS_CAP_V2 -> betasOfAlphaBar(NoiseSchedule::cosine, n);
      case EXP -> betasOfAlphaBar(time -> StrictMath.exp(-12 * time), n);
      case LAPLACE -> betasOfAlphaBar(NoiseSchedule::laplace, n);
      case SIGMOID -> {
        double start = options.get(BETA_START);
        double width = options.get(BETA_END) - start;
        float[] betas = Grid.torchLinspace(-6, 6, n);
        for (int t = 0; t < n; t++) {
          float sigmoid = (float) (1 / (1 + StrictMath.exp(-betas[t])));
          betas[t] = sigmoid * (float) width + (float) start;
        }
        yield betas;
      }
    };
  }

  /** Betas that leave a given part of the signal, a function of the time in [0, 1]. */
  private static float[] betasOfAlphaBar(DoubleUnaryOperator alphaBar, int n) {
    float[] betas = new float[n];
    for (int t = 0; t < n; t++) {
      double ratio =
          alphaBar.applyAsDouble((t + 1) / (double) n) / alphaBar.applyAsDouble(t / (double) n);
      betas[t] = (float) Math.min(1 - ratio, 0.999);
    }
    return betas;
  }

  private static float[] trainedBetas(List<Double> trained) {
    if (trained.size() < 2 || trained.size() > Steps.MOST) {
      throw new OptionException(
          "trained_betas has " + trained.size() + " values: use 2 to " + Steps.MOST + ".");
    }
    float[] betas = new float[trained.size()];
    for (int t = 0; t < betas.length; t++) {
      double beta = trained.get(t);
      if (!(beta >= 0 && beta < 1)) {
        throw new OptionException(
            "trained_betas holds " + beta + ": use 0 or more and less than 1.");
      }
      betas[t] = (float) beta;
    }
    return betas;
  }

  /** Nichol and Dhariwal's. */
  private static double cosine(double time) {
    double cos = StrictMath.cos((time + 0.008) / 1.008 * Math.PI / 2);
    return cos * cos;
  }

  /** The logarithm of the signal-to-noise ratio follows Laplace's distribution. */
  private static double laplace(double time) {
    double tail = StrictMath.log(1 - 2 * Math.abs(0.5 - time) + 1e-6);
    double snr = StrictMath.exp(-0.5 * Math.copySign(1, 0.5 - time) * tail);
    return Math.sqrt(snr / (1 + snr));
  }

  /** Products of 1 − β so far: added up in double, kept in F32. */
  private static float[] alphasCumprod(float[] betas) {
    float[] alphasCumprod = new float[betas.length];
    double product = 1;
    for (int t = 0; t < betas.length; t++) {
      product *= 1 - betas[t];
      alphasCumprod[t] = (float) product;
    }
    return alphasCumprod;
  }

  /**
   * Betas whose last timestep is pure noise.
   *
   * @see <a href="https://arxiv.org/abs/2305.08891">Lin et al., 2023, algorithm 1</a>
   */
  private static float[] rescaleZeroTerminalSnr(float[] betas) {
    int n = betas.length;
    float[] bars = alphasCumprod(betas);
    for (int t = 0; t < n; t++) {
      bars[t] = (float) Math.sqrt(bars[t]);
    }
    float first = bars[0];
    float last = bars[n - 1];
    float scale = first / (first - last);
    for (int t = 0; t < n; t++) {
      bars[t] = (bars[t] - last) * scale;
      bars[t] *= bars[t];
    }
    float[] rescaled = new float[n];
    rescaled[0] = 1 - bars[0];
    for (int t = 1; t < n; t++) {
      rescaled[t] = 1 - bars[t] / bars[t - 1];
    }
    return rescaled;
  }

  /** The sigma of each training timestep, the least first. */
  float[] sigmas() {
    return sigmas;
  }

  float[] logSigmas() {
    return logSigmas;
  }

  float minSigma() {
    return sigmas[0];
  }

  float maxSigma() {
    return sigmas[sigmas.length - 1];
  }

  /** Half the logarithm of the signal-to-noise ratio at a timestep, in F32. */
  float lambda(int t) {
    float alpha = (float) Math.sqrt(alphasCumprod[t]);
    float sigma = (float) Math.sqrt(1 - alphasCumprod[t]);
    return (float) StrictMath.log(alpha) - (float) StrictMath.log(sigma);
  }

  int length() {
    return sigmas.length;
  }

  /** The part of the signal's variance that is left at a timestep. */
  float alphaCumprod(int t) {
    return alphasCumprod[t];
  }

  /** What is left of the signal's variance after the last step, by {@code set_alpha_to_one}. */
  float finalAlphaCumprod(OptionValues options) {
    return options.get(SET_ALPHA_TO_ONE) ? 1 : alphasCumprod[0];
  }

  /** Refuses whole timesteps that were not trained, as a great {@code steps_offset} makes them. */
  double[] checkTrained(double[] timesteps) {
    for (double t : timesteps) {
      if (t < 0 || t >= alphasCumprod.length) {
        throw new OptionException(
            "timestep "
                + (long) t
                + " was not trained: timesteps are 0 to "
                + (alphasCumprod.length - 1)
                + ". Take fewer steps, or another timestep_spacing or steps_offset.");
      }
    }
    return timesteps;
  }

  /** The sigmas at timesteps between the trained ones, linear in sigma; {@code numpy.interp}. */
  double[] sigmasAt(double[] timesteps) {
    double[] result = new double[timesteps.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = sigmaAt(timesteps[i]);
    }
    return result;
  }

  private double sigmaAt(double t) {
    if (t <= 0) {
      return sigmas[0];
    }
    if (t >= sigmas.length - 1) {
      return sigmas[sigmas.length - 1];
    }
    int low = (int) t;
    double slope = (double) sigmas[low + 1] - sigmas[low];
    return slope * (t - low) + sigmas[low];
  }

  /**
   * The timesteps of sigmas, interpolated in log sigma and in double; diffusers {@code
   * _sigma_to_t}.
   */
  double[] timestepsOf(double[] sigmas) {
    double[] result = new double[sigmas.length];
    for (int i = 0; i < result.length; i++) {
      double logSigma = StrictMath.log(Math.max(sigmas[i], 1e-10));
      int low = lowIndex(logSigma);
      double gap = logSigmas[low] - logSigmas[low + 1];
      double w = Math.clamp((logSigmas[low] - logSigma) / gap, 0, 1);
      result[i] = (1 - w) * low + w * (low + 1);
    }
    return result;
  }

  /**
   * The timesteps of sigmas that a user gave, interpolated in log sigma with every operation
   * rounded to F32; diffusers {@code _sigma_to_t} of F32 sigmas.
   */
  double[] timestepsOf(float[] sigmas, int count) {
    double[] result = new double[count];
    for (int i = 0; i < result.length; i++) {
      float logSigma = NumpyLog.log(Math.max(sigmas[i], 1e-10f));
      int low = lowIndex(logSigma);
      float gap = logSigmas[low] - logSigmas[low + 1];
      float w = Math.clamp((logSigmas[low] - logSigma) / gap, 0f, 1f);
      result[i] = (double) (1 - w) * low + (double) w * (low + 1);
    }
    return result;
  }

  /**
   * The last timestep but one at most whose sigma is not above the given one; 0 if there is none.
   */
  private int lowIndex(double logSigma) {
    int low = logSigmas.length - 1;
    while (low > 0 && !(logSigma >= logSigmas[low])) {
      low--;
    }
    return Math.min(low, logSigmas.length - 2);
  }
}
