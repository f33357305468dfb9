package io.github.kolors4j.djl;

import ai.djl.modality.Input;
import ai.djl.ndarray.BytesSupplier;
import ai.djl.util.Pair;
import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import io.github.kolors4j.request.ImageRequest;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a model's arguments say of its pictures, under the names of diffusers' arguments, and what
 * an {@link Input} says beside them. Values come as numbers, as text from properties and URLs, or
 * as JSON; the request's own reader of JSON takes all of them and refuses what it cannot take.
 */
final class RequestArguments {
  private static final Gson GSON = new Gson();
  private static final String PROMPT = "prompt";
  private static final String IMAGE = "image";
  private static final String MASK = "mask_image";
  private static final String STRENGTH = "strength";

  /** Those whose value is text, also where it looks like a number. */
  private static final Set<String> TEXTS =
      Set.of(PROMPT, "negative_prompt", "rng", "output_type", "compat");

  /** Those that a model can have. Files and arrays of the request stay out of properties. */
  private static final Set<String> NAMES =
      Set.of(
          "negative_prompt",
          "max_sequence_length",
          "height",
          "width",
          "original_size",
          "crops_coords_top_left",
          "target_size",
          "negative_original_size",
          "negative_crops_coords_top_left",
          "negative_target_size",
          "num_inference_steps",
          "timesteps",
          "sigmas",
          "denoising_end",
          "eta",
          "guidance_scale",
          "guidance_rescale",
          "pag_scale",
          "pag_adaptive_scale",
          "pag_applied_layers",
          "num_images_per_prompt",
          "seed",
          "rng",
          "output_type",
          "vae_tiling",
          "compat");

  /**
   * What is DJL's own or that of DJL Serving, and stands among a model's arguments all the same.
   */
  private static final KnownNames KNOWN =
      new KnownNames(
          "argument",
          NAMES,
          Set.of(
              "engine",
              "application",
              "translator",
              "translatorFactory",
              "blockFactory",
              "batchifier",
              "model_name",
              "artifact_id",
              "minWorkers",
              "maxWorkers",
              "job_queue_size",
              "batch_size",
              "max_dynamic_batch_size",
              "max_batch_delay",
              "max_idle_time",
              "load_on_devices",
              "required_memory_mb",
              "reserved_memory_mb",
              "retry_threshold",
              "log_request_metric",
              "metrics_aggregation"));

  /** Those that a client of a server can send, who must not be able to name the server's files. */
  private static final Set<String> SENT =
      Stream.concat(
              NAMES.stream(),
              Stream.of(PROMPT, IMAGE, MASK, "padding_mask_crop", STRENGTH, "denoising_start"))
          .collect(Collectors.toUnmodifiableSet());

  private final JsonObject arguments = new JsonObject();

  /** The arguments among the values of a model, which has others. */
  RequestArguments(Map<String, ?> values) {
    values.forEach(
        (name, value) -> {
          if (NAMES.contains(name)) {
            arguments.add(name, json(name, value));
          }
        });
  }

  /**
   * Refuses an argument that nobody knows. For those who have this engine's translators: another
   * one may have arguments of its own.
   *
   * @throws IllegalArgumentException if there is one; with the names that there are
   */
  static void checkNames(Map<String, ?> values) {
    KNOWN.check(values.keySet());
  }

  private static JsonElement json(String name, Object value) {
    if (!(value instanceof String text)) {
      return GSON.toJsonTree(value);
    }
    if (TEXTS.contains(name)) {
      return new JsonPrimitive(text);
    }
    try {
      return parse(text);
    } catch (JsonParseException _) {
      return new JsonPrimitive(text); // refused below, by its name
    }
  }

  private static JsonElement parse(String json) {
    JsonElement parsed = GSON.fromJson(json, JsonElement.class);
    return parsed == null ? JsonNull.INSTANCE : parsed; // of empty text
  }

  ImageRequest request(String prompt) {
    JsonObject request = arguments.deepCopy();
    request.addProperty(PROMPT, prompt);
    return ImageRequest.fromJson(request.toString());
  }

  /**
   * What a client sent: a prompt as text; JSON, {@code {"prompt": …, "seed": …}} or {@code
   * {"inputs": …, "parameters": {…}}}; or a form with a part for each argument.
   */
  ImageRequest request(Input input) {
    JsonObject request = arguments.deepCopy();
    String contentType =
        input.getProperty("Content-Type", "").split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    if (contentType.equals("application/json")) {
      BytesSupplier data = input.getData();
      addJson(request, data == null ? "" : data.getAsString());
    } else {
      for (Pair<String, BytesSupplier> part : input.getContent()) {
        addPart(request, part.getKey() == null ? PROMPT : part.getKey(), part.getValue());
      }
    }
    if (!request.has(PROMPT)) {
      throw new IllegalArgumentException(
          "[djl] no prompt: send it as text, as {\"prompt\": …}, or as a part of a form.");
    }
    return ImageRequest.fromJson(request.toString());
  }

  private static void addJson(JsonObject request, String json) {
    JsonElement body;
    try {
      body = parse(json);
    } catch (JsonParseException e) {
      throw new IllegalArgumentException(
          "[djl] the body is not JSON: %s.".formatted(e.getMessage()), e);
    }
    if (!body.isJsonObject()) {
      throw new IllegalArgumentException("[djl] the body is no JSON object: use {\"prompt\": …}.");
    }
    body.getAsJsonObject()
        .asMap()
        .forEach(
            (name, value) -> {
              if (name.equals("parameters") && value.isJsonObject()) {
                value.getAsJsonObject().asMap().forEach((key, each) -> add(request, key, each));
              } else {
                add(request, name, value);
              }
            });
  }

  private static void addPart(JsonObject request, String name, BytesSupplier value) {
    if (isPicture(name)) {
      add(request, name, new JsonPrimitive(Base64.getEncoder().encodeToString(value.getAsBytes())));
    } else {
      add(request, name, json(known(name), value.getAsString()));
    }
  }

  private static boolean isPicture(String name) {
    return name.equals(IMAGE) || name.equals(MASK);
  }

  private static void add(JsonObject request, String given, JsonElement value) {
    String name = known(given);
    if (isPicture(name) && value.isJsonPrimitive()) {
      JsonObject picture = new JsonObject();
      picture.add("png", value);
      request.add(name, picture);
    } else {
      request.add(name, value);
    }
  }

  /** An argument's name; {@code inputs} and {@code data} are how other clients call the prompt. */
  private static String known(String name) {
    if (name.equals("inputs") || name.equals("data")) {
      return PROMPT;
    }
    if (!SENT.contains(name)) {
      throw new IllegalArgumentException(
          "[djl] no argument is called %s: use the names of diffusers' arguments.".formatted(name));
    }
    return name;
  }
}
