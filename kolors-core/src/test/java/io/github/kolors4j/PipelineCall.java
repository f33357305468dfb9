package io.github.kolors4j;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.CFGCutoffCallback;
import io.github.kolors4j.request.Compatibility;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.Mask;
import io.github.kolors4j.request.OutputType;
import io.github.kolors4j.request.PromptEmbeds;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.request.StepCallback;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.tensor.FloatArray;
import java.util.ArrayList;
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

  boolean hasLatents() {
    return json.has("latents");
  }

  /** Bytes of its pictures, where it has no latents. */
  byte[] images() {
    return file.bytes(json.get("images").getAsString());
  }

  /** The U-Net that it is for; empty for the checkpoint's. */
  String unet() {
    return json.get("unet").getAsString();
  }

  /** The pictures that lead it, through ControlNets of these names. */
  List<ControlNetInput> controls(Map<String, ControlNet> nets) {
    List<ControlNetInput> inputs = new ArrayList<>();
    for (JsonElement each : json.getAsJsonArray("controls")) {
      JsonObject control = each.getAsJsonObject();
      inputs.add(
          new ControlNetInput(
              nets.get(control.get("net").getAsString()),
              picture(control.get("image").getAsString()),
              control.get("scale").getAsDouble(),
              control.get("start").getAsDouble(),
              control.get("end").getAsDouble(),
              json.get("guess_mode").getAsBoolean()));
    }
    return inputs;
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
    ImageRequest.Builder request =
        arguments.get("prompt").isJsonNull()
            ? ImageRequest.builder(embeds(arguments))
            : ImageRequest.builder(texts(arguments.get("prompt")));
    request
        .outputType(hasLatents() ? OutputType.LATENT : OutputType.IMAGE)
        .seeds(json.getAsJsonArray("seeds").asList().stream().map(JsonElement::getAsLong).toList());
    if (needsCompatibility()) {
      request.compatibility(Compatibility.DIFFUSERS);
    }
    if (arguments.containsKey("image")) {
      setImage(request, arguments.get("image"));
    }
    if (arguments.containsKey("mask_image")) {
      KolorsImage mask = picture(arguments.get("mask_image").getAsString());
      JsonElement padding = arguments.get("padding_mask_crop");
      request.mask(padding == null ? Mask.of(mask) : Mask.cropped(mask, padding.getAsInt()));
    }
    if (arguments.containsKey("map")) {
      request.strengthMap(picture(arguments.get("map").getAsString()));
    }
    arguments.forEach((argument, value) -> set(request, argument, value));
    return request.build();
  }

  RunControl control() {
    JsonElement callback = json.getAsJsonObject("arguments").get("callback");
    return callback == null
        ? RunControl.NONE
        : Controls.onStepEnd(callback(callback.getAsJsonObject()));
  }

  private static void set(ImageRequest.Builder request, String argument, JsonElement value) {
    switch (argument) {
      case "prompt",
          "image",
          "mask_image",
          "padding_mask_crop",
          "map",
          "prompt_embeds",
          "pooled_prompt_embeds",
          "negative_prompt_embeds",
          "negative_pooled_prompt_embeds",
          "callback" -> {}
      case "negative_prompt" -> request.negativePrompts(texts(value));
      case "height" -> request.height(value.getAsInt());
      case "width" -> request.width(value.getAsInt());
      case "num_inference_steps" -> request.numInferenceSteps(value.getAsInt());
      case "num_images_per_prompt" -> request.numImagesPerPrompt(value.getAsInt());
      case "guidance_scale" -> request.guidanceScale(value.getAsFloat());
      case "guidance_rescale" -> request.guidanceRescale(value.getAsFloat());
      case "timesteps" -> request.timesteps(floats(value));
      case "sigmas" -> request.sigmas(floats(value));
      case "denoising_end" -> request.denoisingEnd(value.getAsDouble());
      case "denoising_start" -> request.denoisingStart(value.getAsDouble());
      case "strength" -> request.strength(value.getAsDouble());
      case "eta" -> request.eta(value.getAsDouble());
      case "original_size" -> request.originalSize(first(value), second(value));
      case "target_size" -> request.targetSize(first(value), second(value));
      case "crops_coords_top_left" -> request.cropsCoordsTopLeft(first(value), second(value));
      case "negative_original_size" -> request.negativeOriginalSize(first(value), second(value));
      case "negative_target_size" -> request.negativeTargetSize(first(value), second(value));
      case "negative_crops_coords_top_left" ->
          request.negativeCropsCoordsTopLeft(first(value), second(value));
      case "pag_scale" -> request.pagScale(value.getAsFloat());
      case "pag_adaptive_scale" -> request.pagAdaptiveScale(value.getAsFloat());
      case "pag_applied_layers" -> request.pagAppliedLayers(texts(value));
      default -> throw new AssertionError("an argument that the test does not know: " + argument);
    }
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

  private void setImage(ImageRequest.Builder request, JsonElement image) {
    if (image.isJsonArray()) {
      request.images(texts(image).stream().map(this::picture).toList());
    } else if (file.dims(image.getAsString()).length == 4) {
      request.imageLatents(array(image.getAsString()));
    } else {
      request.image(picture(image.getAsString()));
    }
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

  private static double[] floats(JsonElement list) {
    return list.getAsJsonArray().asList().stream().mapToDouble(JsonElement::getAsFloat).toArray();
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
