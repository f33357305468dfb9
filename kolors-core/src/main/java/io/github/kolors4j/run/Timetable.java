package io.github.kolors4j.run;

import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Start;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Schedule;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.scheduler.Steps;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * The steps that a request takes: diffusers' {@code retrieve_timesteps}, {@code get_timesteps} and
 * the cut at {@code denoising_end}.
 *
 * @param schedule all steps of the scheduler
 * @param timesteps of the schedule, one a step
 * @param begin the first step that is taken
 * @param end the step after the last one
 */
record Timetable(Schedule schedule, float[] timesteps, int begin, int end) {
  private static final String NUM_TRAIN_TIMESTEPS = "num_train_timesteps";

  /**
   * The steps of a request.
   *
   * @throws IllegalArgumentException if the scheduler cannot take such steps, or none is left
   */
  static Timetable of(Scheduler scheduler, ImageRequest request) {
    PredictedSteps.check(scheduler, request);
    Schedule schedule = scheduler.schedule(request.steps());
    float[] timesteps = schedule.timesteps();
    int begin =
        request.start().image().map(image -> begin(scheduler, schedule, request, image)).orElse(0);
    int end = timesteps.length;
    if (request.denoisingEnd().isPresent()) {
      double cutoff = cutoff(scheduler, "denoising_end", request.denoisingEnd().getAsDouble());
      int taken = 0;
      for (int i = begin; i < timesteps.length; i++) {
        taken += timesteps[i] >= cutoff ? 1 : 0;
      }
      end = begin + taken;
    }
    if (begin >= end) {
      throw new IllegalArgumentException(noStepLeft(request, timesteps.length));
    }
    return new Timetable(schedule, timesteps, begin, end);
  }

  /**
   * Takes the first step on zeros, which costs nothing: what a scheduler refuses when a run begins
   * or in a step is to be known before the work starts.
   *
   * @throws IllegalArgumentException if the scheduler cannot take the request's steps
   */
  void rehearse(ResolvedRequest request) {
    NoiseSource zeros =
        new NoiseSource() {
          @Override
          public void draw(float[] target) {
            Arrays.fill(target, 0);
          }

          @Override
          public OptionalLong seed() { // some schedulers ask for it, and the image's noise has one
            return OptionalLong.of(0);
          }

          @Override
          public void drawFrom(long seed, float[] target) {
            draw(target);
          }
        };
    Schedule.Run run = schedule.start(zeros, request.request().eta());
    Slice sample = Slice.of(new float[request.size().values()]);
    Slice modelOutput = Slice.of(new float[request.size().values()]);
    run.scaleModelInput(begin, sample, sample);
    run.step(begin, modelOutput, sample);
  }

  /** How many steps are taken. */
  int count() {
    return end - begin;
  }

  /** Those in which the U-Net predicts. */
  PredictedSteps predicted(int every) {
    return new PredictedSteps(every, begin, end);
  }

  private static int begin(
      Scheduler scheduler, Schedule schedule, ImageRequest request, Start.Image image) {
    float[] timesteps = schedule.timesteps();
    OptionalDouble denoisingStart = image.denoisingStart();
    if (denoisingStart.isEmpty()) {
      int steps = request.steps() instanceof Steps.Count(int count) ? count : timesteps.length;
      int initTimestep = Math.min((int) (steps * image.strength()), steps);
      return Math.min((steps - initTimestep) * schedule.order(), timesteps.length);
    }
    double cutoff = cutoff(scheduler, "denoising_start", denoisingStart.getAsDouble());
    int taken = 0;
    for (float timestep : timesteps) {
      taken += timestep < cutoff ? 1 : 0;
    }
    if (schedule.order() == 2 && taken % 2 == 0) {
      taken++; // not between the two runs of one step
    }
    return Math.max(0, timesteps.length - taken);
  }

  /** The timestep at a share of the way, as Python rounds it: half to even. */
  private static double cutoff(Scheduler scheduler, String argument, double share) {
    if (!scheduler.config().keys().contains(NUM_TRAIN_TIMESTEPS)) {
      throw new IllegalArgumentException(
          "[request] %s with %s: its config has no %s to take the share of. Leave %s out."
              .formatted(argument, scheduler.className(), NUM_TRAIN_TIMESTEPS, argument));
    }
    int trained = scheduler.config().integer(NUM_TRAIN_TIMESTEPS);
    return Math.rint(trained - share * trained);
  }

  private static String noStepLeft(ImageRequest request, int steps) {
    if (request.start().image().isPresent()
        && request.start().image().get().denoisingStart().isEmpty()) {
      double strength = request.start().image().get().strength();
      if ((int) (steps * strength) < 1) {
        return "[request] strength %s of %s steps leaves none to take: use a larger strength or more steps."
            .formatted(strength, steps);
      }
    }
    return "[request] none of the %s steps is left between where the denoising starts and where it ends: use more steps, or move denoising_start or denoising_end."
        .formatted(steps);
  }
}
