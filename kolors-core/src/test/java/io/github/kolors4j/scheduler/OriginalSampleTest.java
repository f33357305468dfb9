package io.github.kolors4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.tensor.random.TorchGenerator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The picture in a noisy sample, of which the noise is known. */
class OriginalSampleTest {
  private static final int SIZE = 64;
  private static final SchedulerConfig CONFIG =
      SchedulerConfig.of(
          Map.of(
              "beta_start",
              0.00085,
              "beta_end",
              0.014,
              "beta_schedule",
              "scaled_linear",
              "num_train_timesteps",
              1100));

  private final float[] picture = normals(1);
  private final float[] noise = normals(2);

  private static float[] normals(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[SIZE];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static List<String> schedulers() {
    List<String> names =
        new ArrayList<>(Schedulers.all().stream().map(SchedulerType::className).toList());
    names.removeIf(name -> name.startsWith("EDM")); // scale what the model sees by themselves
    return names;
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void isFoundByEverySchedulerInEveryStepThatBeginsOne(String name) {
    Schedule schedule = Schedulers.byName(name).fromConfig(CONFIG, Map.of()).schedule(Steps.of(12));
    int count = schedule.timesteps().length;
    for (int i = 0; i < count; i += schedule.order()) {
      float[] sample = new float[SIZE];
      schedule.addNoise(i, Slice.of(picture), Slice.of(noise), Slice.of(sample));
      float[] before = sample.clone();
      float[] original = new float[SIZE];
      schedule
          .start(NoiseSource.of(new TorchGenerator(3), drawn -> drawn))
          .predictOriginalSample(i, Slice.of(noise), Slice.of(sample), Slice.of(original));
      // what is left of the picture, at the noisiest a fifteenth, has the rounding of the noise
      assertArrayEquals(picture, original, 1e-4f, name + " step " + i);
      assertArrayEquals(before, sample);
    }
  }

  @Test
  void isWhatTheModelSaysWhereItPredictsPictures() {
    Schedule.Run run =
        EulerDiscreteScheduler.fromConfig(CONFIG, Map.of("prediction_type", "sample"))
            .schedule(Steps.of(5))
            .start(target -> {});
    float[] original = new float[SIZE];
    run.predictOriginalSample(1, Slice.of(picture), Slice.of(noise), Slice.of(original));
    assertArrayEquals(picture, original);
  }

  /** The velocity is α·noise − σ·picture where a sample is α·picture + σ·noise. */
  @ParameterizedTest
  @MethodSource("vSchedulers")
  void isFoundByTheVelocity(String name) {
    Schedule schedule =
        Schedulers.byName(name)
            .fromConfig(CONFIG, Map.of("prediction_type", "v_prediction"))
            .schedule(Steps.of(7));
    float sigma = schedule.sigmas()[2];
    float alpha = (float) (1 / Math.sqrt(1 + sigma * sigma));
    float[] sample = new float[SIZE];
    schedule.addNoise(2, Slice.of(picture), Slice.of(noise), Slice.of(sample));
    float[] velocity = new float[SIZE];
    for (int k = 0; k < SIZE; k++) {
      velocity[k] = alpha * noise[k] - alpha * sigma * picture[k];
    }
    float[] original = new float[SIZE];
    schedule
        .start(target -> {})
        .predictOriginalSample(2, Slice.of(velocity), Slice.of(sample), Slice.of(original));
    assertArrayEquals(picture, original, 1e-4f);
  }

  static List<String> vSchedulers() {
    return List.of("euler", "dpmsolver++", "ddim", "heun", "unipc", "lms");
  }

  /** In the middle of its steps a solver of second order sees less noise than at their ends. */
  @Test
  void isFoundInTheMiddleOfAStep() {
    Schedule schedule = KDPM2DiscreteScheduler.fromConfig(CONFIG, Map.of()).schedule(Steps.of(6));
    Schedule.Run run = schedule.start(target -> {});
    float[] sample = new float[SIZE];
    schedule.addNoise(0, Slice.of(picture), Slice.of(noise), Slice.of(sample));
    run.step(0, Slice.of(noise), Slice.of(sample)); // to the middle, with the true noise
    float[] original = new float[SIZE];
    run.predictOriginalSample(1, Slice.of(noise), Slice.of(sample), Slice.of(original));
    assertArrayEquals(picture, original, 1e-4f);
  }

  /** With a perfect model, Karras' preconditioning gives the picture back. */
  @Test
  void isFoundByTheSchedulersOfKarras() {
    Schedule schedule =
        EDMEulerScheduler.fromConfig(SchedulerConfig.of(Map.of()), Map.of()).schedule(Steps.of(5));
    float sigma = schedule.sigmas()[1];
    float data = 0.5f;
    float variance = sigma * sigma + data * data;
    float[] sample = new float[SIZE];
    float[] output = new float[SIZE];
    for (int k = 0; k < SIZE; k++) {
      sample[k] = picture[k] + sigma * noise[k];
      output[k] =
          (float)
              ((picture[k] - data * data / variance * sample[k])
                  / (sigma * data / Math.sqrt(variance)));
    }
    float[] original = new float[SIZE];
    schedule
        .start(target -> {})
        .predictOriginalSample(1, Slice.of(output), Slice.of(sample), Slice.of(original));
    assertArrayEquals(picture, original, 1e-3f);
  }

  @Test
  void aSchedulerOfOnesOwnNeedNotKnow() {
    Schedule.Run own =
        new Schedule.Run() {
          @Override
          public void scaleModelInput(int stepIndex, Slice sample, Slice scaled) {}

          @Override
          public void step(int stepIndex, Slice modelOutput, Slice sample) {}
        };
    float[] original = new float[SIZE];
    own.predictOriginalSample(0, Slice.of(picture), Slice.of(noise), Slice.of(original));
    assertArrayEquals(noise, original);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            own.predictOriginalSample(
                0, Slice.of(picture), Slice.of(noise), Slice.of(new float[3])));
  }
}
