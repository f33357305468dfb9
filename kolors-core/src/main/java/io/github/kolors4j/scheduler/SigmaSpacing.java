package io.github.kolors4j.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How noise levels lie between the greatest and the least: as the timesteps have them, or by law.
 */
enum SigmaSpacing {
  /** Those of the chosen timesteps. */
  TIMESTEPS(null) {
    @Override
    double[] between(double sigmaMax, double sigmaMin, int n) {
      throw new IllegalStateException("the timesteps have the sigmas");
    }
  },

  /**
   * Even in the seventh root.
   *
   * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022</a>
   */
  KARRAS(SharedOptions.USE_KARRAS_SIGMAS) {
    @Override
    double[] between(double sigmaMax, double sigmaMin, int n) {
      double rho = 7;
      double min = StrictMath.pow(sigmaMin, 1 / rho);
      double max = StrictMath.pow(sigmaMax, 1 / rho);
      double[] sigmas = Grid.linspace(0, 1, n);
      for (int i = 0; i < n; i++) {
        sigmas[i] = StrictMath.pow(max + sigmas[i] * (min - max), rho);
      }
      return sigmas;
    }
  },

  /** Even in the logarithm. */
  EXPONENTIAL(SharedOptions.USE_EXPONENTIAL_SIGMAS) {
    @Override
    double[] between(double sigmaMax, double sigmaMin, int n) {
      double[] sigmas = Grid.linspace(StrictMath.log(sigmaMax), StrictMath.log(sigmaMin), n);
      for (int i = 0; i < n; i++) {
        sigmas[i] = StrictMath.exp(sigmas[i]);
      }
      return sigmas;
    }
  },

  /**
   * Quantiles of the beta distribution, dense at both ends.
   *
   * @see <a href="https://arxiv.org/abs/2407.12173">Lee et al., 2024</a>
   */
  BETA(SharedOptions.USE_BETA_SIGMAS) {
    @Override
    double[] between(double sigmaMax, double sigmaMin, int n) {
      SymmetricBeta beta = new SymmetricBeta(0.6);
      double[] sigmas = Grid.linspace(0, 1, n);
      for (int i = 0; i < n; i++) {
        sigmas[i] = sigmaMin + beta.quantile(1 - sigmas[i]) * (sigmaMax - sigmaMin);
      }
      return sigmas;
    }
  },

  /**
   * Even in the logarithm of the table's F32 sigmas.
   *
   * @see <a href="https://arxiv.org/abs/2206.00927">Lu et al., 2022</a>
   */
  LU(SharedOptions.USE_LU_LAMBDAS) {
    @Override
    double[] between(double sigmaMax, double sigmaMin, int n) {
      double min = NumpyLog.log((float) sigmaMin);
      double max = NumpyLog.log((float) sigmaMax);
      double[] sigmas = Grid.linspace(0, 1, n);
      for (int i = 0; i < n; i++) {
        sigmas[i] = StrictMath.exp(max + sigmas[i] * (min - max));
      }
      return sigmas;
    }
  };

  /** The option that asks for it; null where none need. */
  @SuppressWarnings("ImmutableEnumChecker") // a record whose reader keeps nothing
  private final @Nullable Option<Boolean> option;

  SigmaSpacing(@Nullable Option<Boolean> option) {
    this.option = option;
  }

  private Option<Boolean> option() {
    return Objects.requireNonNull(option, "timesteps are asked for by no option");
  }

  /** The one that options ask for; no two of Karras, exponential and beta. */
  static SigmaSpacing of(OptionValues options) {
    List<SigmaSpacing> chosen = new ArrayList<>();
    for (SigmaSpacing spacing : List.of(KARRAS, EXPONENTIAL, BETA)) {
      if (options.get(spacing.option())) {
        chosen.add(spacing);
      }
    }
    if (chosen.size() > 1) {
      throw new OptionException(
          chosen.get(0).option().key()
              + " and "
              + chosen.get(1).option().key()
              + " are both true: use one of them.");
    }
    return chosen.isEmpty() ? TIMESTEPS : chosen.getFirst();
  }

  /** Refuses timesteps that a user chose where a law chooses them. */
  void refuseTimesteps() {
    if (this != TIMESTEPS) {
      throw new OptionException(
          "timesteps cannot be chosen while " + option().key() + " is true: use one or the other.");
    }
  }

  /** So many sigmas, the greatest first, both ends included; of one, the greatest. */
  abstract double[] between(double sigmaMax, double sigmaMin, int n);
}
