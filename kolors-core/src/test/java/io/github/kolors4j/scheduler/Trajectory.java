package io.github.kolors4j.scheduler;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What diffusers computed for one case; see {@code fixtures/make_scheduler_fixtures.py}.
 *
 * @param samples of two images after the first, the second and the last step
 */
record Trajectory(
    JsonObject given,
    float[] timesteps,
    float[] sigmas,
    float initNoiseSigma,
    List<float[]> samples) {
  static final int SEED = 1000;

  static List<Trajectory> all() throws IOException {
    List<Trajectory> all = new ArrayList<>(of("trajectories.safetensors"));
    all.addAll(of("solvers.safetensors"));
    return all;
  }

  private static List<Trajectory> of(String name) throws IOException {
    ByteBuffer file;
    try (var in = Trajectory.class.getResourceAsStream("/scheduler/" + name)) {
      file = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
    }
    int headerLength = (int) file.getLong();
    byte[] header = new byte[headerLength];
    file.get(header);
    ByteBuffer data = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    JsonObject tensors =
        JsonParser.parseString(new String(header, StandardCharsets.UTF_8)).getAsJsonObject();
    String cases = tensors.getAsJsonObject("__metadata__").get("cases").getAsString();

    List<Trajectory> all = new ArrayList<>();
    for (JsonElement given : JsonParser.parseString(cases).getAsJsonArray()) {
      JsonArray offsets =
          tensors.getAsJsonObject("%03d".formatted(all.size())).getAsJsonArray("data_offsets");
      data.limit(offsets.get(1).getAsInt()).position(offsets.get(0).getAsInt());
      all.add(of(given.getAsJsonObject(), data));
    }
    return all;
  }

  private static Trajectory of(JsonObject given, ByteBuffer data) {
    JsonArray counts = given.getAsJsonArray("counts");
    float[] timesteps = floats(data, counts.get(0).getAsInt());
    float[] sigmas = floats(data, counts.get(1).getAsInt());
    float initNoiseSigma = data.getFloat();
    int kept = counts.get(2).getAsInt();
    int size = data.remaining() / 4 / kept;
    List<float[]> samples = new ArrayList<>();
    for (int i = 0; i < kept; i++) {
      samples.add(floats(data, size));
    }
    return new Trajectory(given, timesteps, sigmas, initNoiseSigma, samples);
  }

  private static float[] floats(ByteBuffer data, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = data.getFloat();
    }
    return values;
  }

  Map<String, Object> options() {
    Map<String, Object> options = new LinkedHashMap<>();
    given
        .getAsJsonObject("options")
        .asMap()
        .forEach((key, value) -> options.put(key, SchedulerConfig.parseValue(value.toString())));
    return options;
  }

  Scheduler scheduler(SchedulerConfig kolors) {
    SchedulerType type = Schedulers.byName(className());
    Map<String, Object> known = options();
    known.keySet().retainAll(type.defaults().keys());
    Map<String, Object> hidden = new LinkedHashMap<>();
    kolors.keys().forEach(key -> hidden.put(key, kolors.get(key)));
    hidden.putAll(options());
    Scheduler scheduler = type.fromConfig(SchedulerConfig.of(hidden), known);
    return switch (scheduler) {
      case EulerDiscreteScheduler euler when given.has("s_churn") -> euler.withChurn(churn());
      case EDMEulerScheduler edm when given.has("s_churn") -> edm.withChurn(churn());
      case LMSDiscreteScheduler lms when given.has("order") ->
          lms.withOrder(given.get("order").getAsInt());
      case DDIMScheduler ddim when given.has("use_clipped_model_output") ->
          ddim.withClippedModelOutput();
      case DPMSolverSDEScheduler sde when given.has("s_noise") ->
          sde.withNoise(given.get("s_noise").getAsDouble());
      default -> scheduler;
    };
  }

  private EulerDiscreteScheduler.Churn churn() {
    return new EulerDiscreteScheduler.Churn(
        given.get("s_churn").getAsDouble(),
        given.get("s_tmin").getAsDouble(),
        given.get("s_tmax").getAsDouble(),
        given.get("s_noise").getAsDouble());
  }

  /** The first step that is taken. */
  int begin() {
    return given.has("begin") ? given.get("begin").getAsInt() : 0;
  }

  double eta() {
    return given.has("eta") ? given.get("eta").getAsDouble() : 0;
  }

  String className() {
    return given.get("class").getAsString();
  }

  Steps steps() {
    if (given.has("timesteps")) {
      return new Steps.Timesteps(floats("timesteps"));
    }
    if (given.has("sigmas")) {
      return new Steps.Sigmas(floats("sigmas"));
    }
    return Steps.of(given.get("num_inference_steps").getAsInt());
  }

  private float[] floats(String key) {
    JsonArray array = given.getAsJsonArray(key);
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).getAsFloat();
    }
    return values;
  }

  boolean learnedVariance() {
    return String.valueOf(options().get("variance_type")).startsWith("learned");
  }

  /** Whether pixels come first, as the solver must see which of them belong together. */
  boolean channelsLast() {
    return learnedVariance() && !className().equals("DDPMScheduler");
  }

  @Override
  public String toString() {
    JsonObject shown = given.deepCopy();
    shown.remove("counts");
    return shown.toString();
  }
}
