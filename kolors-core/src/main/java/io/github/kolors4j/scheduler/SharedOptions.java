package io.github.kolors4j.scheduler;

import java.util.List;
import java.util.Optional;

/** Options that schedulers of several kinds have. */
final class SharedOptions {
  private SharedOptions() {}

  // ---- what the model was trained on

  static final Option<Integer> NUM_TRAIN_TIMESTEPS =
      Option.integer("num_train_timesteps", "how many timesteps the model was trained on")
          .where("2 to " + Steps.MOST, n -> n >= 2 && n <= Steps.MOST);

  static final Option<Double> BETA_START = beta("beta_start", "the noise of the first timestep");

  static final Option<Double> BETA_END = beta("beta_end", "the noise of the last timestep");

  static final Option<BetaSchedule> ANY_BETA_SCHEDULE =
      Option.choice("beta_schedule", "the noise of those between", BetaSchedule.class);

  static final Option<BetaSchedule> BETA_SCHEDULE =
      ANY_BETA_SCHEDULE.only(
          BetaSchedule.LINEAR, BetaSchedule.SCALED_LINEAR, BetaSchedule.SQUAREDCOS_CAP_V2);

  static final Option<Optional<List<Double>>> TRAINED_BETAS =
      Option.numbers("trained_betas", "the noise of each timestep, in place of the three before")
          .optional();

  static final Option<Boolean> RESCALE_BETAS_ZERO_SNR =
      Option.flag(
          "rescale_betas_zero_snr", "whether the last timestep is stretched to be noise alone");

  static final Option<PredictionType> PREDICTION_TYPE =
      Option.choice("prediction_type", "what the model's output is", PredictionType.class);

  // ---- which timesteps and noise levels are visited

  static final Option<TimestepSpacing> TIMESTEP_SPACING =
      Option.choice(
          "timestep_spacing",
          "how timesteps are chosen among the trained ones",
          TimestepSpacing.class);

  static final Option<Integer> STEPS_OFFSET =
      Option.integer("steps_offset", "added to timesteps of leading spacing");

  static final Option<Boolean> USE_KARRAS_SIGMAS =
      Option.flag("use_karras_sigmas", "whether noise levels are even in the seventh root");

  static final Option<Boolean> USE_EXPONENTIAL_SIGMAS =
      Option.flag("use_exponential_sigmas", "whether noise levels are even in the logarithm");

  static final Option<Boolean> USE_BETA_SIGMAS =
      Option.flag("use_beta_sigmas", "whether noise levels are dense at both ends");

  static final Option<Boolean> USE_LU_LAMBDAS =
      Option.flag(
          "use_lu_lambdas", "whether noise levels are even in the logarithm, after Lu et al.");

  static final Option<Optional<Double>> SIGMA_MIN =
      sigma("sigma_min", "the least noise level of such laws; null for the timesteps' own");

  static final Option<Optional<Double>> SIGMA_MAX =
      sigma("sigma_max", "the greatest noise level of such laws; null for the timesteps' own");

  static final Option<FinalSigmasType> FINAL_SIGMAS_TYPE =
      Option.choice(
          "final_sigmas_type", "the noise level after the last step", FinalSigmasType.class);

  static final Option<Boolean> SET_ALPHA_TO_ONE =
      Option.flag(
          "set_alpha_to_one", "whether the last step ends without noise, and not at timestep 0");

  // ---- how far predicted pictures may go

  static final Option<Boolean> CLIP_SAMPLE =
      Option.flag("clip_sample", "whether predicted pictures are clipped");

  static final Option<Double> CLIP_SAMPLE_RANGE =
      Option.number("clip_sample_range", "at which value, and its negative")
          .where("0 or more", range -> range >= 0);

  static final Option<Boolean> THRESHOLDING =
      Option.flag("thresholding", "whether predicted pictures are clipped at a quantile of theirs");

  static final Option<Double> DYNAMIC_THRESHOLDING_RATIO =
      Option.number("dynamic_thresholding_ratio", "at which quantile of the absolute values")
          .where("0 to 1", ratio -> ratio >= 0 && ratio <= 1);

  static final Option<Double> SAMPLE_MAX_VALUE =
      Option.number("sample_max_value", "the quantile counts no more than this")
          .alias(null, Double.POSITIVE_INFINITY);

  private static Option<Double> beta(String key, String meaning) {
    return Option.number(key, meaning)
        .where("0 or more and less than 1", beta -> beta >= 0 && beta < 1);
  }

  private static Option<Optional<Double>> sigma(String key, String meaning) {
    return Option.number(key, meaning)
        .where("a finite number above 0", sigma -> sigma > 0 && sigma < Double.POSITIVE_INFINITY)
        .optional();
  }
}
