package io.github.kolors4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.nn.Linear;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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
    assertFault("proj.weight is stored as I8; only F32, F16 and BF16 are supported.", weights);
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

  private void put(String name, DType dtype, long... shape) {
    tensors.put(name, Fixture.Fake.info(name, dtype, shape));
  }

  private Weights weights() {
    return Weights.of("unet", new Fixture.Fake(tensors));
  }

  private static void assertFault(String message, Weights weights) {
    assertEquals(
        "[weights] unet: " + message,
        assertThrows(InvalidFileException.class, weights::requireComplete).getMessage());
  }
}
