package io.github.kolors4j;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What diffusers' KolorsPipeline made of requests to the mini checkpoint. */
final class PipelineFixture implements AutoCloseable {
  static final Path CHECKPOINT = checkpoint();

  /** Surefire runs in the module's folder. */
  private static final Path FOLDER = Path.of("src/test/resources/pipeline");

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SafetensorsFile file;

  private PipelineFixture(SafetensorsFile file) {
    this.file = file;
  }

  private static Path checkpoint() {
    try {
      return MiniCheckpoint.directory();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static PipelineFixture open(String name) throws IOException {
    return new PipelineFixture(SafetensorsFile.open(FOLDER.resolve(name + ".safetensors")));
  }

  /** A request that diffusers was given, with its name in the file. */
  record Case(String name, ImageRequest request, String schedulerClass, Map<String, ?> options) {
    KolorsPipeline on(KolorsPipeline pipeline) {
      return pipeline.withScheduler(
          Schedulers.byName(schedulerClass).fromConfig(pipeline.scheduler().config(), options));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** The first prompt of each case. */
  List<String> prompts() {
    return json().asList().stream()
        .map(each -> texts(each.getAsJsonObject().getAsJsonArray("prompt")).getFirst())
        .toList();
  }

  private JsonArray json() {
    return JsonParser.parseString(file.metadata().get("cases")).getAsJsonArray();
  }

  List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (JsonElement each : json()) {
      JsonObject json = each.getAsJsonObject();
      Map<String, Object> options = new HashMap<>();
      JsonObject scheduler = json.getAsJsonObject("scheduler");
      scheduler
          .getAsJsonObject("options")
          .asMap()
          .forEach((key, value) -> options.put(key, value.getAsBoolean()));
      cases.add(
          new Case(
              json.get("name").getAsString(),
              ImageRequest.builder(texts(json.getAsJsonArray("prompt")))
                  .negativePrompts(texts(json.getAsJsonArray("negative_prompt")))
                  .size(json.get("width").getAsInt(), json.get("height").getAsInt())
                  .numInferenceSteps(json.get("steps").getAsInt())
                  .guidanceScale(json.get("guidance_scale").getAsFloat())
                  .numImagesPerPrompt(json.get("num_images_per_prompt").getAsInt())
                  .seeds(
                      json.getAsJsonArray("seeds").asList().stream()
                          .map(JsonElement::getAsLong)
                          .toList())
                  .build(),
              scheduler.get("class").getAsString(),
              options));
    }
    return cases;
  }

  /** The cases of the stage {@code complete}. */
  List<PipelineCall> calls() {
    return json().asList().stream()
        .map(each -> new PipelineCall(this, each.getAsJsonObject()))
        .toList();
  }

  Case named(String name) {
    return cases().stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
  }

  /** What the file says of its models. */
  String config() {
    return file.metadata().get("config");
  }

  TensorSource source() {
    return file;
  }

  float[] floats(String tensor) {
    return file.data(tensor).toArray(FLOAT);
  }

  byte[] bytes(String tensor) {
    return file.data(tensor).toArray(ValueLayout.JAVA_BYTE);
  }

  int[] ids(String tensor) {
    MemorySegment data = file.data(tensor);
    int[] ids = new int[(int) (data.byteSize() / Long.BYTES)];
    for (int i = 0; i < ids.length; i++) {
      ids[i] =
          (int)
              data.get(
                  ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                  (long) i * Long.BYTES);
    }
    return ids;
  }

  int[] dims(String tensor) {
    TensorInfo info = file.find(tensor).orElseThrow();
    return info.shape().stream().mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    file.close();
  }

  private static List<String> texts(JsonArray array) {
    return array.asList().stream().map(JsonElement::getAsString).toList();
  }

  /** Root of the mean square of the difference, over that of the reference. */
  static double relativeRms(float[] actual, float[] expected) {
    double difference = 0;
    double reference = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      reference += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / reference);
  }
}
