package io.github.kolors4j;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call of one of diffusers' Kolors pipelines, under its arguments' names, and the latents that it
 * gave.
 *
 * @param file holds the tensors that the call names
 * @param json as {@code fixtures/README.md} describes it
 */
record PipelineCall(PipelineFixture file, JsonObject json) {
  KolorsPipeline on(KolorsPipeline pipeline) {
    Map<String, Object> options = new HashMap<>();
    scheduler()
        .getAsJsonObject("options")
        .asMap()
        .forEach((key, value) -> options.put(key, SchedulerConfig.parseValue(value.toString())));
    return pipeline.withScheduler(
        Schedulers.byName(schedulerClass()).fromConfig(pipeline.scheduler().config(), options));
  }

  String schedulerClass() {
    return scheduler().get("class").getAsString();
  }

  float[] latents() {
    return file.floats(json.get("latents").getAsString());
  }

  int[] latentsShape() {
    return file.dims(json.get("latents").getAsString());
  }

  /** Which fault of diffusers shows in the latents; empty for none. */
  String compatibility() {
    return json.get("compatibility").getAsString();
  }

  boolean needsCompatibility() {
    return !compatibility().isEmpty();
  }

  ImageRequest request() {
    Map<String, JsonElement> arguments = json.getAsJsonObject("arguments").asMap();
    ImageRequest request =
        arguments.get("prompt").isJsonNull()
            ? ImageRequest.of(embeds(arguments))
            : ImageRequest.of(texts(arguments.get("prompt")));
    request =
        request
            .withOutputType(OutputType.LATENT)
            .withSeeds(
                json.getAsJsonArray("seeds").asList().stream()
                    .map(JsonElement::getAsLong)
                    .toList());
    if (needsCompatibility()) {
      request = request.withCompatibility(Compatibility.DIFFUSERS);
    }
    if (arguments.containsKey("image")) {
      request = withImage(request, arguments.get("image"));
    }
    for (Map.Entry<String, JsonElement> argument : arguments.entrySet()) {
      request = with(request, argument.getKey(), argument.getValue());
    }
    return request;
  }

  private static ImageRequest with(ImageRequest request, String argument, JsonElement value) {
    return switch (argument) {
      case "prompt",
          "image",
          "prompt_embeds",
          "pooled_prompt_embeds",
          "negative_prompt_embeds",
          "negative_pooled_prompt_embeds" ->
          request;
      case "negative_prompt" -> request.withNegativePrompts(texts(value));
      case "height" -> request.withHeight(value.getAsInt());
      case "width" -> request.withWidth(value.getAsInt());
      case "num_inference_steps" -> request.withNumInferenceSteps(value.getAsInt());
      case "num_images_per_prompt" -> request.withNumImagesPerPrompt(value.getAsInt());
      case "guidance_scale" -> request.withGuidanceScale(value.getAsFloat());
      case "guidance_rescale" -> request.withGuidanceRescale(value.getAsFloat());
      case "timesteps" -> request.withTimesteps(floats(value));
      case "sigmas" -> request.withSigmas(floats(value));
      case "denoising_end" -> request.withDenoisingEnd(value.getAsDouble());
      case "denoising_start" -> request.withDenoisingStart(value.getAsDouble());
      case "strength" -> request.withStrength(value.getAsDouble());
      case "eta" -> request.withEta(value.getAsDouble());
      case "original_size" -> request.withOriginalSize(first(value), second(value));
      case "target_size" -> request.withTargetSize(first(value), second(value));
      case "crops_coords_top_left" -> request.withCropsCoordsTopLeft(first(value), second(value));
      case "negative_original_size" ->
          request.withNegativeOriginalSize(first(value), second(value));
      case "negative_target_size" -> request.withNegativeTargetSize(first(value), second(value));
      case "negative_crops_coords_top_left" ->
          request.withNegativeCropsCoordsTopLeft(first(value), second(value));
      case "pag_scale" -> request.withPagScale(value.getAsFloat());
      case "pag_adaptive_scale" -> request.withPagAdaptiveScale(value.getAsFloat());
      case "pag_applied_layers" -> request.withPagAppliedLayers(texts(value));
      case "callback" -> request.withOnStepEnd(callback(value.getAsJsonObject()));
      default -> throw new AssertionError("an argument that the test does not know: " + argument);
    };
  }

  private static StepCallback callback(JsonObject json) {
    int index = json.get("step").getAsInt();
    if (json.has("cutoff")) {
      return CFGCutoffCallback.afterStep(index);
    }
    return step -> {
      if (step.progress().step() != index + 1) {
        return;
      }
      if (json.has("guidance_scale")) {
        step.setGuidanceScale(json.get("guidance_scale").getAsFloat());
      }
      if (json.has("latents")) {
        JsonObject change = json.getAsJsonObject("latents");
        float factor = change.get("multiply").getAsFloat();
        float summand = change.get("add").getAsFloat();
        float[] values = step.latents().values();
        for (int i = 0; i < values.length; i++) {
          values[i] = values[i] * factor + summand;
        }
        step.setLatents(FloatArray.of(values, step.latents().shape().dims()));
      }
    };
  }

  private ImageRequest withImage(ImageRequest request, JsonElement image) {
    if (image.isJsonArray()) {
      return request.withImages(texts(image).stream().map(this::picture).toList());
    }
    String tensor = image.getAsString();
    return file.dims(tensor).length == 4
        ? request.withImageLatents(array(tensor))
        : request.withImage(picture(tensor));
  }

  private KolorsImage picture(String tensor) {
    int[] dims = file.dims(tensor); // [h, w, 3]
    return KolorsImage.of(dims[1], dims[0], file.bytes(tensor));
  }

  private PromptEmbeds embeds(Map<String, JsonElement> arguments) {
    return new PromptEmbeds(
        array(arguments.get("prompt_embeds").getAsString()),
        array(arguments.get("pooled_prompt_embeds").getAsString()),
        Optional.ofNullable(arguments.get("negative_prompt_embeds"))
            .map(tensor -> array(tensor.getAsString())),
        Optional.ofNullable(arguments.get("negative_pooled_prompt_embeds"))
            .map(tensor -> array(tensor.getAsString())));
  }

  private FloatArray array(String tensor) {
    return FloatArray.of(file.floats(tensor), file.dims(tensor));
  }

  private JsonObject scheduler() {
    return json.getAsJsonObject("scheduler");
  }

  private static List<String> texts(JsonElement list) {
    return list.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toList();
  }

  private static float[] floats(JsonElement list) {
    JsonArray array = list.getAsJsonArray();
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).getAsFloat();
    }
    return values;
  }

  private static int first(JsonElement pair) {
    return pair.getAsJsonArray().get(0).getAsInt();
  }

  private static int second(JsonElement pair) {
    return pair.getAsJsonArray().get(1).getAsInt();
  }

  @Override
  public String toString() {
    return json.get("name").getAsString();
  }
}
