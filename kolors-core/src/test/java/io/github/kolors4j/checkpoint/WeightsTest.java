package io.github.kolors4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Weight;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class WeightsTest {
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

  @Test
  void findsAWeightBelowItsPrefix() throws InvalidFileException {
    put("down_blocks.0.conv.weight", DType.F16, 3, 4);
    Weights weights = weights();
    Weights conv = weights.at("down_blocks").at(0).at("conv");
    assertEquals(Shape.of(3, 4), conv.weight("weight", 3, 4).shape());
    weights.requireComplete();
  }

  @Test
  void countsMissingTensorsAndNamesTheFirst() {
    put("proj.bias", DType.F32, 4);
    Weights weights = weights();
    Linear.load(weights.at("proj"), 3, 4);
    assertFault("1 tensor expected but missing (first: proj.weight).", weights);
    Linear.load(weights.at("out"), 3, 4);
    assertFault("3 tensors expected but missing (first: proj.weight).", weights);
  }

  @Test
  void namesAMisshapenTensorWithBothShapes() {
    put("proj.weight", DType.F32, 3, 4);
    put("proj.bias", DType.F32, 4);
    Weights weights = weights();
    Linear.load(weights.at("proj"), 3, 4);
    assertFault("proj.weight has the shape [3, 4]; its config asks for [4, 3].", weights);
  }

  @Test
  void refusesATypeThatIsNotAFloatingPointOne() {
    put("proj.weight", DType.I8, 4, 3);
    put("proj.bias", DType.F32, 4);
    Weights weights = weights();
    Linear.load(weights.at("proj"), 3, 4);
    assertFault(
        "proj.weight is stored as I8: F32, F16, BF16 and F8_E4M3 are read, and I8 with the scales proj.weight_scale. Convert it.",
        weights);
  }

  @Test
  void namesATensorThatTheModelDoesNotDefine() {
    put("proj.weight", DType.BF16, 4, 3);
    put("proj.bias", DType.F32, 4);
    put("proj.lora_up", DType.F32, 4);
    put("proj.lora_down", DType.F32, 4);
    Weights weights = weights();
    Linear.load(weights.at("proj"), 3, 4);
    assertFault(
        "2 tensors are not of this model (first: proj.lora_down)."
            + " A file of another model, or a config that does not fit?",
        weights);
  }

  @Test
  void checksTheShapeOfAnUnreadTensorAndNothingElse() throws InvalidFileException {
    put("encoder.weight", DType.I64, 4, 3);
    Weights weights = weights();
    Linear.load(weights.unread().at("encoder"), 3, 4);
    weights.requireComplete();

    Weights narrower = weights();
    Linear.load(narrower.unread().at("encoder"), 2, 4);
    assertFault("encoder.weight has the shape [4, 3]; its config asks for [4, 2].", narrower);
  }

  @Test
  void tellsWhichOfTheOptionalTensorsIsAbsent() throws InvalidFileException {
    put("encoder.weight", DType.F32, 4, 3);
    Weights weights = weights();
    assertEquals(
        "encoder.weight", Linear.load(weights.optional().at("encoder"), 3, 4).weight().name());
    weights.requireComplete();
    assertEquals(Optional.of("encoder.bias"), weights.firstAbsent());

    put("encoder.bias", DType.F32, 4);
    Weights complete = weights();
    Linear.load(complete.optional().at("encoder"), 3, 4);
    complete.requireComplete();
    assertEquals(Optional.empty(), complete.firstAbsent());

    Weights narrower = weights();
    Linear.load(narrower.optional().at("encoder"), 2, 4);
    assertFault("encoder.weight has the shape [4, 3]; its config asks for [4, 2].", narrower);
  }

  @Test
  void takesAFormerNameWhereTheFileHasIt() throws InvalidFileException {
    put("query.weight", DType.F32, 4, 3);
    put("query.bias", DType.F32, 4);
    put("to_k.weight", DType.F32, 4, 3);
    put("to_k.bias", DType.F32, 4);
    Weights weights = weights();
    assertEquals("query.weight", Linear.load(weights.at("to_q", "query"), 3, 4).weight().name());
    assertEquals("to_k.weight", Linear.load(weights.at("to_k", "key"), 3, 4).weight().name());
    weights.requireComplete();
  }

  @Test
  void readsAPointwiseConvolutionAsAMatrix() throws InvalidFileException {
    put("proj_in.weight", DType.F32, 4, 3, 1, 1);
    put("proj_in.bias", DType.F32, 4);
    Weights weights = weights();
    Linear projIn = Linear.loadPointwise(weights.at("proj_in"), 3, 4);
    assertEquals(Shape.of(4, 3), projIn.weight().shape());
    weights.requireComplete();
  }

  @Test
  void refusesATensorThatNoArrayCouldHold() {
    put("table.weight", DType.F16, 1 << 20, 1 << 12);
    Weights weights = weights();
    weights.at("table").weight("weight", 1 << 20, 1 << 12);
    assertFault("table.weight has the shape [1048576, 4096]; 2^31-1 values are the most.", weights);
  }

  @Test
  void adaptersExtendAStoredWeightOneAfterAnother() throws InvalidFileException {
    put("proj.weight", DType.F16, 2, 1);
    put("proj.bias", DType.F32, 2);
    WeightAdapter plusOne = matrices(value -> value + 1);
    WeightAdapter timesThree = matrices(value -> 3 * value);
    Weights weights = weights(plusOne, timesThree);
    Linear proj = Linear.load(weights.at("proj"), 1, 2);
    weights.requireComplete();
    assertArrayEquals(new float[] {3, 3}, proj.weight().toFloats());
    assertArrayEquals(new float[] {0, 0}, proj.bias().orElseThrow().toFloats());
  }

  @Test
  void anAdapterReplacesAWeightOfATypeThatOnlyItKnowsAndOthersExtendIt()
      throws InvalidFileException {
    put("proj.weight", DType.I8, 2, 1);
    put("proj.weight_scale", DType.F16, 2);
    put("proj.bias", DType.F32, 2);
    Inventory files = Inventory.of(new Fixture.Fake(tensors));
    WeightAdapter quantised = new Sevens(files);
    Weights weights = Weights.of("unet", files, List.of(matrices(value -> value + 1), quantised));
    Linear proj = Linear.load(weights.at("proj"), 1, 2);
    weights.requireComplete();
    assertArrayEquals(new float[] {8, 8}, proj.weight().toFloats());
  }

  @Test
  void anAdapterMayBringAWeightThatTheFilesLack() throws InvalidFileException {
    put("proj.bias", DType.F32, 2);
    put("proj.weight_scale", DType.F16, 2);
    Inventory other = Inventory.of(new Fixture.Fake(Map.copyOf(tensors)));
    tensors.remove("proj.weight_scale");
    Weights weights = weights(new Sevens(other));
    Linear proj = Linear.load(weights.at("proj"), 1, 2);
    weights.requireComplete();
    assertArrayEquals(new float[] {7, 7}, proj.weight().toFloats());
    assertEquals(List.of("proj.bias"), other.unasked().stream().map(TensorInfo::name).toList());
  }

  @Test
  void aFaultOfAnAdaptersFileEndsTheLoading() {
    put("proj.weight", DType.F16, 2, 1);
    put("proj.bias", DType.F32, 2);
    WeightAdapter faulty =
        (name, _) -> {
          throw new InvalidFileException("[lora] file.safetensors: no rank for " + name + ".");
        };
    Weights weights = weights(faulty);
    Linear.load(weights.at("proj"), 1, 2);
    assertEquals(
        "[lora] file.safetensors: no rank for proj.weight.",
        assertThrows(InvalidFileException.class, weights::requireComplete).getMessage());
  }

  @Test
  void anAdapterMayNotChangeTheShape() {
    put("proj.weight", DType.F16, 2, 1);
    Weights weights = weights((name, _) -> Weight.of(name, Shape.of(1, 2), 1, 2));
    assertEquals(
        "[weights] an adapter gives proj.weight the shape [1, 2]: [2, 1] is needed.",
        assertThrows(
                IllegalStateException.class, () -> Linear.load(weights.at("proj"), 1, 2, false))
            .getMessage());
  }

  @Test
  void adaptersAreNotAskedAboutWhatIsNotRead() throws InvalidFileException {
    put("encoder.weight", DType.I64, 4, 3);
    Weights weights =
        weights(
            (name, _) -> {
              throw new AssertionError(name);
            });
    Linear.load(weights.unread().at("encoder"), 3, 4);
    weights.requireComplete();
  }

  /** Changes each value of what is not a bias. */
  private static WeightAdapter matrices(UnaryOperator<Float> change) {
    return (name, base) -> {
      if (!name.endsWith(".weight")) {
        return base;
      }
      float[] values = base.toFloats();
      for (int i = 0; i < values.length; i++) {
        values[i] = change.apply(values[i]);
      }
      return Weight.of(name, base.shape(), values);
    };
  }

  /** Puts sevens in the place of each weight that has a scale. */
  private record Sevens(Inventory files) implements WeightAdapter {
    @Override
    public Optional<Weight> replace(String name, Shape shape) {
      float[] values = new float[shape.size()];
      Arrays.fill(values, 7);
      return files.find(name + "_scale").map(_ -> Weight.of(name, shape, values));
    }

    @Override
    public Weight extend(String name, Weight base) {
      return base;
    }
  }

  private void put(String name, DType dtype, long... shape) {
    tensors.put(name, Fixture.Fake.info(name, dtype, shape));
  }

  private Weights weights(WeightAdapter... adapters) {
    return Weights.of("unet", new Fixture.Fake(tensors), List.of(adapters));
  }

  private static void assertFault(String message, Weights weights) {
    assertEquals(
        "[weights] unet (fake): " + message,
        assertThrows(InvalidFileException.class, weights::requireComplete).getMessage());
  }
}
