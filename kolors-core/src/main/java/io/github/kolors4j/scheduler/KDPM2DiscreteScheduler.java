package io.github.kolors4j.scheduler;

import java.util.Map;

/**
 * DPM-Solver-2 along sigmas, with Euler's method to the middle of a step and from there the slope
 * of all. The U-Net runs twice a step.
 *
 * <p>Immutable. All options of diffusers 0.40 are there.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al., 2022, algorithm 2</a>
 */
public final class KDPM2DiscreteScheduler extends DpmSolver2Scheduler {
  static final SchedulerType TYPE =
      type(KDPM2DiscreteScheduler.class, "dpm2", "kdpm2").build(KDPM2DiscreteScheduler::new);

  private KDPM2DiscreteScheduler(OptionValues options) {
    super(options);
  }

  /**
   * Makes one from the configuration of any scheduler; diffusers {@code from_config}.
   *
   * @param config what somebody set in it is taken over, what was only a default is not
   * @param options what goes before it, as {@code Map.of("use_karras_sigmas", true)}; may be left
   *     out
   * @return the scheduler
   * @throws IllegalArgumentException if the class has no such option, or does not take its value
   */
  public static KDPM2DiscreteScheduler fromConfig(SchedulerConfig config, Map<?, ?>... options) {
    return new KDPM2DiscreteScheduler(TYPE.values(config, options));
  }

  @Override
  float middle(float sigma, float next) {
    return SecondOrder.middle(next, sigma);
  }

  @Override
  Ancestral split(float sigma, float next) {
    return new Ancestral(0, next);
  }

  @Override
  boolean drawsNoise() {
    return false;
  }
}
