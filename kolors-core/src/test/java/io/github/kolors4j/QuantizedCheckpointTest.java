package io.github.kolors4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints with weights of 8 and 4 bits, against the same ones in F32. */
class QuantizedCheckpointTest {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final Path MINI = PipelineFixture.CHECKPOINT;
  private static final String UNET = "diffusion_pytorch_model";
  private static final ImageRequest SMALL =
      ImageRequest.builder("一只瓢虫,蓝色背景")
          .size(32, 24)
          .numInferenceSteps(2)
          .maxSequenceLength(16)
          .seed(5)
          .outputType(OutputType.LATENT)
          .build();

  @TempDir private static Path folder;
  private static Path quantized;

  @BeforeAll
  static void quantize() throws IOException {
    quantized = folder.resolve("quantized");
    try (KolorsPipeline pipeline = KolorsPipeline.open(MINI)) {
      pipeline.savePretrained(
          quantized, SaveOptions.DEFAULT.withInt8(Set.of("text_encoder", "unet")));
    }
  }

  private static float[] latents(Path checkpoint, ImageRequest request) throws IOException {
    try (KolorsPipeline pipeline = KolorsPipeline.builder(checkpoint).threads(2).open()) {
      return pipeline.generate(request).latents().orElseThrow().values();
    }
  }

  /** A checkpoint with a component's tensors changed. */
  private static Path changed(
      Path checkpoint,
      String name,
      Map<String, Function<TensorSource, Map<String, TensorData>>> components)
      throws IOException {
    Path changed = folder.resolve(name);
    copy(checkpoint, changed);
    for (var component : components.entrySet()) {
      Path directory = changed.resolve(component.getKey());
      String base = component.getKey().equals("text_encoder") ? "model" : UNET;
      Map<String, TensorData> tensors;
      try (TensorSource source = ShardedSafetensors.open(directory, base, Optional.empty())) {
        tensors = component.getValue().apply(source);
      }
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.filter(each -> each.toString().contains(".safetensors")).toList()) {
          Files.delete(file);
        }
      }
      SafetensorsWriter.write(directory.resolve(base + ".safetensors"), Map.of(), tensors);
    }
    return changed;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  /** What every kind of stored value stands for, by its definition. */
  private static Map<String, TensorData> dequantized(TensorSource source) {
    Map<String, TensorData> tensors = new TreeMap<>();
    for (String name : source.names()) {
      if (!name.endsWith("_scale")) {
        tensors.put(name, dequantized(source, source.find(name).orElseThrow()));
      }
    }
    return tensors;
  }

  private static TensorData dequantized(TensorSource source, TensorInfo info) {
    MemorySegment data = source.data(info.name());
    long[] shape = info.shape().stream().mapToLong(Long::longValue).toArray();
    if (info.dtype() == DType.I8) {
      boolean halves = source.metadata().getOrDefault("bits", "").equals("4");
      shape[shape.length - 1] *= halves ? 2 : 1;
      return TensorData.f32(Integers.of(source, info, halves).toFloats(), shape);
    }
    float[] values = new float[Math.toIntExact(info.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (info.dtype()) {
            case F16 -> Float.float16ToFloat(data.get(SHORT, 2L * i));
            case F32 -> data.get(FLOAT, 4L * i);
            case F8_E4M3 -> f8(data.get(ValueLayout.JAVA_BYTE, i));
            default -> throw new IllegalStateException(info.toString());
          };
    }
    return TensorData.f32(values, shape);
  }

  /**
   * Integers with their scales.
   *
   * @param bytes the integers, or two in a byte
   * @param halves whether there are two
   * @param scales of each row, or of its groups
   * @param length values of a row
   * @param groups scales of a row, of 32 values each; 0 where a row has one
   */
  private record Integers(byte[] bytes, boolean halves, float[] scales, int length, int groups) {
    static Integers of(TensorSource source, TensorInfo info, boolean halves) {
      TensorInfo ofScales = source.find(info.name() + "_scale").orElseThrow();
      float[] scales = new float[Math.toIntExact(ofScales.size())];
      MemorySegment stored = source.data(ofScales.name());
      for (int i = 0; i < scales.length; i++) {
        scales[i] = Float.float16ToFloat(stored.get(SHORT, 2L * i));
      }
      byte[] bytes = source.data(info.name()).toArray(ValueLayout.JAVA_BYTE);
      int rows = Math.toIntExact(info.shape().getFirst());
      int groups = ofScales.shape().size() == 1 ? 0 : Math.toIntExact(ofScales.shape().getLast());
      return new Integers(bytes, halves, scales, bytes.length * (halves ? 2 : 1) / rows, groups);
    }

    float scale(int i) {
      return scales[groups == 0 ? i / length : i / length * groups + i % length / 32];
    }

    float value(int i) {
      float product = integer(i) * scale(i);
      return groups == 0 ? f16(product) : product;
    }

    private int integer(int i) {
      if (!halves) {
        return bytes[i];
      }
      int bits = i % 2 == 0 ? bytes[i / 2] >> 4 & 15 : bytes[i / 2] & 15;
      return bits < 8 ? bits : bits - 16;
    }

    float[] toFloats() {
      float[] values = new float[bytes.length * (halves ? 2 : 1)];
      for (int i = 0; i < values.length; i++) {
        values[i] = value(i);
      }
      return values;
    }
  }

  private static float f16(float value) {
    return Float.float16ToFloat(Float.floatToFloat16(value));
  }

  private static float f8(byte bits) {
    int exponent = bits >> 3 & 15;
    double magnitude =
        exponent == 0
            ? (bits & 7) / 8.0 * Math.pow(2, -6)
            : (1 + (bits & 7) / 8.0) * Math.pow(2, exponent - 7);
    return (float) (bits < 0 ? -magnitude : magnitude);
  }

  private static Path inF32(Path checkpoint, String name) throws IOException {
    return changed(
        checkpoint,
        name,
        Map.of(
            "unet", QuantizedCheckpointTest::dequantized,
            "text_encoder", QuantizedCheckpointTest::dequantized));
  }

  @Test
  void latentsAreThoseOfTheDequantizedWeightsInF32() throws IOException {
    float[] expected = latents(inF32(quantized, "f32"), SMALL);
    assertArrayEquals(expected, latents(quantized, SMALL));
    assertFalse(Arrays.equals(expected, latents(MINI, SMALL)), "the rounding is to be seen");
  }

  @Test
  void matricesAreOf8BitsAndEdgesAndVectorsAreAsTheyWere() throws IOException {
    try (TensorSource source =
            ShardedSafetensors.open(quantized.resolve("unet"), UNET, Optional.empty());
        TensorSource mini = ShardedSafetensors.open(MINI.resolve("unet"), UNET, Optional.empty())) {
      for (String name : mini.names()) {
        boolean edge =
            name.matches(
                "(conv_in|conv_out|time_embedding|add_embedding|encoder_hid_proj)\\..*|.*\\.time_emb_proj\\..*");
        boolean matrix = mini.find(name).orElseThrow().shape().size() > 1;
        TensorInfo info = source.find(name).orElseThrow();
        assertEquals(matrix && !edge ? DType.I8 : DType.F16, info.dtype(), name);
        if (info.dtype() == DType.F16) {
          assertEquals(-1, mini.data(name).mismatch(source.data(name)), name);
        }
      }
    }
    String config = Files.readString(quantized.resolve("unet/config.json"));
    assertTrue(config.contains("\"quantization_config\""), config);
    assertTrue(config.contains("\"group_size\": 32"), config);
  }

  /** Half of the scale, which is the largest value of 32 by 127, and what F16 makes of that. */
  @Test
  void noWeightIsFurtherOffThanHalfOfItsScale() throws IOException {
    try (TensorSource source =
            ShardedSafetensors.open(quantized.resolve("unet"), UNET, Optional.empty());
        TensorSource mini = ShardedSafetensors.open(MINI.resolve("unet"), UNET, Optional.empty())) {
      int checked = 0;
      for (String name : source.names()) {
        TensorInfo info = source.find(name).orElseThrow();
        if (info.dtype() != DType.I8) {
          continue;
        }
        Integers integers = Integers.of(source, info, false);
        MemorySegment before = mini.data(name);
        for (int i = 0; i < info.size(); i++) {
          float stored = Float.float16ToFloat(before.get(SHORT, 2L * i));
          float scale = integers.scale(i);
          if (!(Math.abs(stored - integers.value(i))
              <= scale * (0.5f + 127 * 0x1p-11f) + 0x1p-24f)) {
            fail(name + " at " + i);
          }
        }
        checked++;
      }
      assertTrue(checked > 50, "matrices: " + checked);
    }
  }

  @Test
  void whatIsSavedAgainKeepsEveryByteAndItsIdentity() throws IOException {
    Path again = folder.resolve("again");
    try (KolorsPipeline pipeline = KolorsPipeline.open(quantized);
        KolorsPipeline mini = KolorsPipeline.open(MINI)) {
      pipeline.savePretrained(again);
      assertEquals(
          List.of("text_encoder", "unet"), pipeline.identity().differences(mini.identity()));
      try (KolorsPipeline saved = KolorsPipeline.open(again)) {
        assertEquals(List.of(), pipeline.identity().differences(saved.identity()));
      }
    }
    for (String file : List.of("unet/" + UNET + ".safetensors", "text_encoder/model.safetensors")) {
      assertEquals(-1, Files.mismatch(quantized.resolve(file), again.resolve(file)), file);
    }
  }

  private static Adapter lora() throws IOException {
    String module = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q";
    SplittableRandom random = new SplittableRandom(3);
    Map<String, TensorData> tensors = new TreeMap<>();
    tensors.put(module + ".lora_A.weight", values(random, 2, 128));
    tensors.put(module + ".lora_B.weight", values(random, 128, 2));
    Path file = folder.resolve("lora" + random.hashCode() + ".safetensors");
    SafetensorsWriter.write(file, Map.of(), tensors);
    return Adapter.load(file);
  }

  private static TensorData values(SplittableRandom random, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return TensorData.f32(values, rows, columns);
  }

  @Test
  void anAdapterIsAddedToTheDequantizedWeightsAndTheSumIsRoundedAgainWhenSaved()
      throws IOException {
    ImageRequest adapted = SMALL.toBuilder().adapters(Adapters.of(lora()).at(0.7)).build();
    float[] expected = latents(inF32(quantized, "f32-lora"), adapted);
    assertArrayEquals(expected, latents(quantized, adapted));
    assertFalse(Arrays.equals(expected, latents(quantized, SMALL)), "it is to be seen");

    Path fused = folder.resolve("fused");
    try (KolorsPipeline pipeline = KolorsPipeline.open(quantized)) {
      pipeline.withAdapters(Adapters.of(lora()).at(0.7)).savePretrained(fused);
    }
    try (TensorSource source =
            ShardedSafetensors.open(fused.resolve("unet"), UNET, Optional.empty());
        TensorSource before =
            ShardedSafetensors.open(quantized.resolve("unet"), UNET, Optional.empty())) {
      for (String name : before.names()) {
        assertEquals(
            before.find(name).orElseThrow().dtype(), source.find(name).orElseThrow().dtype());
        boolean same = before.data(name).mismatch(source.data(name)) < 0;
        assertEquals(
            !name.startsWith("mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"),
            same,
            name);
      }
    }
    assertNotEquals(latents(quantized, SMALL)[0], latents(fused, SMALL)[0]);
  }

  /** ChatGLM's own formats, as kijai's and MinusZone's files have them. */
  private static Map<String, TensorData> chatGlm(TensorSource source, int bits) {
    return chatGlm(source, bits, name -> name.startsWith("encoder.layers."));
  }

  /** ChatGLM's rounding of some matrices. */
  private static Map<String, TensorData> chatGlm(
      TensorSource source, int bits, Predicate<String> which) {
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    for (String name : source.names()) {
      TensorInfo info = source.find(name).orElseThrow();
      if (!which.test(name) || info.shape().size() < 2) {
        tensors.put(name, new TensorData(info.dtype(), info.shape(), copy(source.data(name))));
        continue;
      }
      int rows = Math.toIntExact(info.shape().get(0));
      int length = Math.toIntExact(info.shape().get(1));
      ByteBuffer values = ByteBuffer.allocate(rows * length * bits / 8);
      ByteBuffer scales = ByteBuffer.allocate(2 * rows).order(ByteOrder.LITTLE_ENDIAN);
      for (int row = 0; row < rows; row++) {
        float[] ofRow = new float[length];
        float largest = 0;
        for (int i = 0; i < length; i++) {
          ofRow[i] = Float.float16ToFloat(source.data(name).get(SHORT, 2L * (row * length + i)));
          largest = Math.max(largest, Math.abs(ofRow[i]));
        }
        short scale = Float.floatToFloat16(largest / (bits == 8 ? 127 : 7));
        scales.putShort(scale);
        int held = 0;
        for (int i = 0; i < length; i++) {
          int value = (int) Math.rint(ofRow[i] / Float.float16ToFloat(scale));
          held = held << 4 | value & 15;
          if (bits == 8) {
            values.put((byte) value);
          } else if (i % 2 == 1) {
            values.put((byte) held);
          }
        }
      }
      tensors.put(
          name,
          new TensorData(
              DType.I8,
              List.of((long) rows, (long) length * bits / 8),
              MemorySegment.ofArray(values.array())));
      tensors.put(
          name + "_scale",
          new TensorData(DType.F16, List.of((long) rows), MemorySegment.ofArray(scales.array())));
    }
    return tensors;
  }

  private static MemorySegment copy(MemorySegment data) {
    return MemorySegment.ofArray(data.toArray(ValueLayout.JAVA_BYTE));
  }

  /** Of the layers and of the words; the head, which makes no picture, is not there. */
  @Test
  void whatThisLibraryWritesIsChatGlmsOwn8BitsWithoutTheHead() throws IOException {
    Path own =
        changed(
            MINI,
            "words8",
            Map.of(
                "text_encoder",
                source -> {
                  Map<String, TensorData> tensors =
                      chatGlm(source, 8, name -> !name.startsWith("output_layer."));
                  assertNotNull(tensors.remove("output_layer.weight"));
                  return tensors;
                }));
    try (TensorSource a =
            ShardedSafetensors.open(own.resolve("text_encoder"), "model", Optional.empty());
        TensorSource b =
            ShardedSafetensors.open(quantized.resolve("text_encoder"), "model", Optional.empty())) {
      assertEquals(a.names().stream().sorted().toList(), b.names().stream().sorted().toList());
      for (String name : a.names()) {
        assertEquals(a.find(name).orElseThrow().shape(), b.find(name).orElseThrow().shape(), name);
        assertEquals(-1, a.data(name).mismatch(b.data(name)), name);
      }
    }
  }

  @Test
  void chatGlmsOwn8BitsAreThoseOfTheDequantizedWeights() throws IOException {
    Path own = changed(MINI, "own8", Map.of("text_encoder", source -> chatGlm(source, 8)));
    Path f32 =
        changed(own, "own8-f32", Map.of("text_encoder", QuantizedCheckpointTest::dequantized));
    assertArrayEquals(embedding(f32), embedding(own));
  }

  private static float[] embedding(Path checkpoint) throws IOException {
    try (KolorsPipeline pipeline = KolorsPipeline.open(checkpoint)) {
      return pipeline.encodePrompt("一只瓢虫").promptEmbeds().values();
    }
  }

  @Test
  void chatGlmsOwn4BitsAreThoseOfTheDequantizedWeights() throws IOException {
    Path own = changed(MINI, "own4", Map.of("text_encoder", source -> chatGlm(source, 4)));
    Path f32 = folder.resolve("own4-f32");
    copy(own, f32);
    Path file = f32.resolve("text_encoder/model.safetensors");
    Map<String, TensorData> tensors = new TreeMap<>();
    try (TensorSource source =
        ShardedSafetensors.open(own.resolve("text_encoder"), "model", Optional.empty())) {
      for (String name : source.names()) {
        TensorInfo info = source.find(name).orElseThrow();
        if (name.endsWith("_scale")) {
          continue;
        }
        if (info.dtype() != DType.I8) {
          tensors.put(name, dequantized(source, info));
          continue;
        }
        float[] values = Integers.of(source, info, true).toFloats();
        tensors.put(name, TensorData.f32(values, info.shape().get(0), 2 * info.shape().get(1)));
      }
    }
    Files.delete(file);
    SafetensorsWriter.write(file, Map.of(), tensors);
    assertArrayEquals(embedding(f32), embedding(own));
  }

  @Test
  void floatsOf8BitsAreReadAsTheyAre() throws IOException {
    Path f8 =
        changed(
            MINI,
            "f8",
            Map.of(
                "unet",
                source -> {
                  Map<String, TensorData> tensors = new TreeMap<>();
                  for (String name : source.names()) {
                    TensorInfo info = source.find(name).orElseThrow();
                    byte[] bytes = new byte[Math.toIntExact(info.size())];
                    for (int i = 0; i < bytes.length; i++) {
                      bytes[i] = toF8(Float.float16ToFloat(source.data(name).get(SHORT, 2L * i)));
                    }
                    tensors.put(
                        name,
                        new TensorData(DType.F8_E4M3, info.shape(), MemorySegment.ofArray(bytes)));
                  }
                  return tensors;
                }));
    Path f32 = changed(f8, "f8-f32", Map.of("unet", QuantizedCheckpointTest::dequantized));
    assertArrayEquals(latents(f32, SMALL), latents(f8, SMALL));
  }

  /** All that are not below zero, in order. */
  private static final float[] F8 = new float[0x7f];

  static {
    for (int i = 0; i < F8.length; i++) {
      F8[i] = f8((byte) i);
    }
  }

  /** The next below; which one does not matter here. */
  private static byte toF8(float value) {
    int found = Arrays.binarySearch(F8, Math.abs(value));
    int magnitude = found < 0 ? -found - 2 : found;
    return (byte) (value < 0 ? magnitude | 0x80 : magnitude);
  }

  private static String fault(Path checkpoint) {
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> KolorsPipeline.open(checkpoint).close());
    return e.getMessage();
  }

  private static Map<String, TensorData> tensors(TensorSource source) {
    Map<String, TensorData> tensors = new TreeMap<>();
    for (String name : source.names()) {
      TensorInfo info = source.find(name).orElseThrow();
      tensors.put(name, new TensorData(info.dtype(), info.shape(), copy(source.data(name))));
    }
    return tensors;
  }

  private static Path damaged(String name, Consumer<Map<String, TensorData>> damage)
      throws IOException {
    return changed(
        quantized,
        name,
        Map.of(
            "unet",
            source -> {
              Map<String, TensorData> tensors = tensors(source);
              damage.accept(tensors);
              return tensors;
            }));
  }

  @Test
  void damagedFilesEndInASentence() throws IOException {
    String weight = "mid_block.resnets.0.conv1.weight";
    String scale = weight + "_scale";
    assertTrue(
        fault(damaged("no-scale", tensors -> tensors.remove(scale)))
            .endsWith(
                weight
                    + " is stored as I8: F32, F16, BF16 and F8_E4M3 are read, and I8 with the scales "
                    + scale
                    + ". Convert it."));
    String shape =
        fault(
            damaged(
                "scale-shape",
                tensors ->
                    tensors.put(
                        scale,
                        new TensorData(
                            DType.F16, List.of(2L), MemorySegment.ofArray(new byte[4])))));
    assertTrue(shape.contains(scale + " has the shape [2]; for " + weight), shape);
    String type =
        fault(
            damaged(
                "scale-type", tensors -> tensors.put(scale, TensorData.f32(new float[128], 128))));
    assertTrue(type.endsWith(scale + " is stored as F32; only F16 is supported."), type);
    String foreign =
        fault(
            damaged(
                "foreign-scale",
                tensors -> tensors.put("conv_in.weight_scale", TensorData.f32(new float[1], 1))));
    assertTrue(foreign.contains("1 tensor is not of this model (first: conv_in.weight_scale)"));
  }
}
