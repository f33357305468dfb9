package io.github.kolors4j.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Weight;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A U-Net whose weights are changed on their way to the layers. */
class AdaptedUNetTest {
  private final ThreadPool threads = new ThreadPool(2);
  private final Workspace workspace = new Workspace(threads);
  private Fixture fixture;
  private UNet2DConditionConfig config;
  private UNet2DConditionModel unet;

  @BeforeEach
  void open() throws IOException {
    fixture = Fixture.open("unet/one_image");
    config = UNet2DConditionConfig.of(fixture.config());
    unet = UNet2DConditionModel.of(config, fixture.source());
  }

  @AfterEach
  void close() {
    fixture.close();
    workspace.close();
    threads.close();
  }

  private float[] predict(UNet2DConditionModel model) {
    return Prediction.of(model, fixture, workspace).toArray();
  }

  @Test
  void equalValuesGiveTheSameBytes() throws IOException {
    WeightAdapter copy = (name, base) -> Weight.of(name, base.shape(), base.toFloats());
    assertArrayEquals(predict(unet), predict(unet.adapted(List.of(copy))));
  }

  @Test
  void aLowRankUpdateGivesTheBytesOfACheckpointWithTheSumsStored() throws IOException {
    Map<String, TensorData> sums = new HashMap<>();
    WeightAdapter lowRank =
        (name, base) -> {
          if (!name.endsWith(".weight")) {
            return base;
          }
          float[] sum = updated(name, base.shape().dim(0), base.toFloats());
          sums.put(name, TensorData.f32(sum, shapeOf(name)));
          return Weight.of(name, base.shape(), sum);
        };
    UNet2DConditionModel adapted = unet.adapted(List.of(lowRank));
    UNet2DConditionModel stored =
        UNet2DConditionModel.of(config, new Replaced(fixture.source(), sums));

    float[] expected = predict(stored);
    assertArrayEquals(expected, predict(adapted));
    assertFalse(Arrays.equals(expected, predict(unet)), "the update shows");
  }

  /** {@code w + b · a} of rank 1, with a row for each output. */
  private static float[] updated(String name, int rows, float[] w) {
    SplittableRandom random = new SplittableRandom(name.hashCode());
    int columns = w.length / rows;
    float[] b = values(random, rows);
    float[] a = values(random, columns);
    float[] sum = new float[w.length];
    for (int i = 0; i < w.length; i++) {
      sum[i] = w[i] + b[i / columns] * a[i % columns];
    }
    return sum;
  }

  private static float[] values(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 0.1f * random.nextFloat();
    }
    return values;
  }

  /** In the file, which has 1×1 filters where a layer has matrices. */
  private long[] shapeOf(String name) {
    TensorInfo info = fixture.source().find(name).orElseThrow();
    return info.shape().stream().mapToLong(Long::longValue).toArray();
  }

  @Test
  void adaptersOfAnAdaptedModelComeAfterThoseThatItHas() throws IOException {
    WeightAdapter plusOne = biases(1, 1);
    WeightAdapter timesTwo = biases(2, 0);
    assertArrayEquals(
        predict(unet.adapted(List.of(plusOne, timesTwo))),
        predict(unet.adapted(List.of(plusOne)).adapted(List.of(timesTwo))));
    assertFalse(
        Arrays.equals(
            predict(unet.adapted(List.of(plusOne, timesTwo))),
            predict(unet.adapted(List.of(timesTwo, plusOne)))));
  }

  private static WeightAdapter biases(float factor, float summand) {
    return (name, base) -> {
      if (!name.endsWith(".bias")) {
        return base;
      }
      float[] values = base.toFloats();
      for (int i = 0; i < values.length; i++) {
        values[i] = values[i] * factor + summand;
      }
      return Weight.of(name, base.shape(), values);
    };
  }

  @Test
  void closingAnAdaptedModelLeavesTheOneThatItWasMadeFromOpen() throws IOException {
    float[] expected = predict(unet);
    unet.adapted(List.of((_, base) -> base)).close();
    assertArrayEquals(expected, predict(unet));
  }

  /** A source of which some tensors are other ones of the same shape. */
  private record Replaced(TensorSource source, Map<String, TensorData> tensors)
      implements TensorSource {
    @Override
    public Set<String> names() {
      return source.names();
    }

    @Override
    public Optional<TensorInfo> find(String name) {
      TensorData data = tensors.get(name);
      return data == null
          ? source.find(name)
          : Optional.of(
              new TensorInfo(name, data.dtype(), data.shape(), 0, data.data().byteSize(), path()));
    }

    @Override
    public MemorySegment data(String name) {
      return tensors.containsKey(name) ? tensors.get(name).data() : source.data(name);
    }

    @Override
    public Map<String, String> metadata() {
      return source.metadata();
    }

    @Override
    public Path path() {
      return source.path();
    }

    @Override
    public void close() {
      source.close();
    }
  }
}
