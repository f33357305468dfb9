package io.github.kolors4j.cli.synthetic;

import io.github.kolors4j.chatglm.ChatGlmConfig;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.controlnet.ControlNetConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.SchedulerConfig;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.vae.AutoencoderKLConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The configurations of a checkpoint: texts for its files, and what they say.
 *
 * @param modelIndex text of {@code model_index.json}
 * @param schedulerJson text of {@code scheduler/scheduler_config.json}
 * @param unetJson text of {@code unet/config.json}
 * @param vaeJson text of {@code vae/config.json}
 * @param textEncoderJson text of {@code text_encoder/config.json}
 * @param unet what {@code unetJson} says
 * @param vae what {@code vaeJson} says
 * @param textEncoder what {@code textEncoderJson} says
 * @param lora the size of an adapter for the U-Net, which no file says
 */
public record CheckpointConfig(
    String modelIndex,
    String schedulerJson,
    String unetJson,
    String vaeJson,
    String textEncoderJson,
    UNet2DConditionConfig unet,
    AutoencoderKLConfig vae,
    ChatGlmConfig textEncoder,
    LoraConfig lora) {

  /** As published; of fewer halvings the first of them. */
  private static final List<Integer> CONTROLNET_CHANNELS =
      List.of(16, 32, 96, 256, 256, 256, 256, 256, 256);

  private static final Set<String> SHARED_WITH_CONTROLNET =
      Set.of(
          "act_fn",
          "addition_embed_type",
          "addition_time_embed_dim",
          "attention_head_dim",
          "block_out_channels",
          "cross_attention_dim",
          "down_block_types",
          "encoder_hid_dim",
          "encoder_hid_dim_type",
          "flip_sin_to_cos",
          "freq_shift",
          "layers_per_block",
          "norm_eps",
          "norm_num_groups",
          "projection_class_embeddings_input_dim",
          "transformer_layers_per_block",
          "use_linear_projection");

  private static final String MODEL_INDEX = "model_index.json";
  private static final String SCHEDULER = "scheduler/scheduler_config.json";
  private static final String UNET = "unet/config.json";
  private static final String VAE = "vae/config.json";
  private static final String TEXT_ENCODER = "text_encoder/config.json";

  /** Where a configuration's texts come from. */
  @FunctionalInterface
  private interface Texts {
    String read(String file) throws IOException;
  }

  /**
   * The configuration of the published model.
   *
   * @return 2.6 billion parameters in the U-Net, 6.2 billion in the text encoder
   * @throws IOException if the resources cannot be read
   */
  public static CheckpointConfig full() throws IOException {
    return of(file -> resource("full/", file));
  }

  /**
   * The same layers with very few channels, for tests.
   *
   * @return some hundred thousand parameters
   * @throws IOException if the resources cannot be read
   */
  public static CheckpointConfig tiny() throws IOException {
    return of(file -> resource("tiny/", file));
  }

  /**
   * The configurations of a checkpoint; index and scheduler are Kolors' where it has none.
   *
   * @param directory the checkpoint; its weights need not be there
   * @return what its files say
   * @throws IOException if a file is missing, or has a value that is not supported
   */
  public static CheckpointConfig read(Path directory) throws IOException {
    return of(
        file -> {
          Path path = directory.resolve(file);
          boolean replaceable = file.equals(MODEL_INDEX) || file.equals(SCHEDULER);
          if (replaceable && !Files.exists(path)) {
            return resource("full/", file);
          }
          if (file.equals(SCHEDULER)) { // which may have Python's Infinity
            SchedulerConfig.read(path); // its faults are sentences
            return Files.readString(path);
          }
          return JsonConfig.read(path).text();
        });
  }

  private static CheckpointConfig of(Texts texts) throws IOException {
    return of(
        texts.read(MODEL_INDEX),
        texts.read(SCHEDULER),
        texts.read(UNET),
        texts.read(VAE),
        texts.read(TEXT_ENCODER));
  }

  private static CheckpointConfig of(
      String modelIndex, String scheduler, String unet, String vae, String textEncoder)
      throws IOException {
    return new CheckpointConfig(
        modelIndex,
        scheduler,
        unet,
        vae,
        textEncoder,
        UNet2DConditionConfig.of(JsonConfig.parse(UNET, unet)),
        AutoencoderKLConfig.of(JsonConfig.parse(VAE, vae)),
        ChatGlmConfig.of(JsonConfig.parse(TEXT_ENCODER, textEncoder)),
        LoraConfig.DEFAULT);
  }

  /**
   * The same with fewer or more layers in the text encoder.
   *
   * @param layers how many
   * @return a configuration that differs in that alone
   * @throws IOException if so many layers are not possible
   */
  public CheckpointConfig withTextLayers(int layers) throws IOException {
    Map<String, Object> json = new LinkedHashMap<>(JsonReader.of(textEncoderJson).object());
    json.put("num_layers", layers);
    return of(modelIndex, schedulerJson, unetJson, vaeJson, JsonWriter.indented(json) + "\n")
        .withLora(lora);
  }

  /**
   * The same with another size of the adapter.
   *
   * @param size its rank and modules
   * @return a configuration that differs in that alone
   */
  public CheckpointConfig withLora(LoraConfig size) {
    return new CheckpointConfig(
        modelIndex,
        schedulerJson,
        unetJson,
        vaeJson,
        textEncoderJson,
        unet,
        vae,
        textEncoder,
        size);
  }

  /**
   * A ControlNet for the U-Net: its descending half, and a picture of as many pixels a latent cell
   * as the VAE has.
   *
   * @return text of a {@code config.json}
   */
  public String controlNetJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("_class_name", "ControlNetModel");
    json.put("conditioning_channels", 3);
    int halvings = Integer.numberOfTrailingZeros(vae.scaleFactor());
    json.put(
        "conditioning_embedding_out_channels",
        IntStream.rangeClosed(0, halvings).mapToObj(CONTROLNET_CHANNELS::get).toList());
    json.put("controlnet_conditioning_channel_order", "rgb");
    json.put("global_pool_conditions", false);
    try {
      JsonReader.of(unetJson)
          .object()
          .forEach(
              (key, value) -> {
                if (value != null && SHARED_WITH_CONTROLNET.contains(key)) {
                  json.put(key, value);
                }
              });
    } catch (JsonException e) {
      throw new IllegalStateException(e); // it has been read before
    }
    return JsonWriter.indented(json) + "\n";
  }

  /**
   * What {@link #controlNetJson} says.
   *
   * @return the configuration
   */
  public ControlNetConfig controlNet() {
    try {
      return ControlNetConfig.of(JsonConfig.parse("controlnet/config.json", controlNetJson()));
    } catch (InvalidFileException e) {
      throw new IllegalStateException(e); // the U-Net's values have been checked
    }
  }

  private static String resource(String preset, String file) throws IOException {
    // Index and scheduler are the same in all presets.
    String name =
        switch (file) {
          case MODEL_INDEX -> MODEL_INDEX;
          case SCHEDULER -> "scheduler_config.json";
          default -> preset + file;
        };
    try (InputStream in = CheckpointConfig.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("[synthesize] " + name + " is not on the class path: build again.");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
