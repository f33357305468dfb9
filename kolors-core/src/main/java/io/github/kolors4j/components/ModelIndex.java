package io.github.kolors4j.components;

import io.github.kolors4j.checkpoint.HubCacheFolder;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The {@code model_index.json} of a checkpoint: what it is made of.
 *
 * @param schedulerClass diffusers' name of the scheduler's class
 * @param forceZerosForEmptyPrompt whether a request without a negative prompt gets zeros in place
 *     of the embedding of empty text
 * @param json the whole file
 */
record ModelIndex(String schedulerClass, boolean forceZerosForEmptyPrompt, JsonConfig json) {
  static final String FILE = "model_index.json";

  private static final String DIFFUSERS = "diffusers";

  /** {@code KolorsPipeline}, {@code KolorsImg2ImgPipeline}, {@code KolorsPAGPipeline} and so on. */
  private static final Pattern PIPELINE = Pattern.compile("Kolors\\w*Pipeline");

  /** Folders, each with a component. */
  static final List<String> PARTS =
      List.of("text_encoder", "tokenizer", "unet", "vae", "scheduler");

  /**
   * Reads and checks the index, and that the folders it names are there.
   *
   * @param directory the checkpoint
   * @param textEncoderMayBeGone whether that folder need not be there
   * @throws InvalidFileException if this is not a Kolors checkpoint in diffusers' layout
   */
  static ModelIndex read(Path directory, boolean textEncoderMayBeGone) throws InvalidFileException {
    if (!Files.isDirectory(directory)) {
      throw new InvalidFileException(
          "[checkpoint] %s %s: give the directory that has the %s."
              .formatted(
                  directory, Files.exists(directory) ? "is a file" : "does not exist", FILE));
    }
    if (!Files.exists(directory.resolve(FILE))) {
      HubCacheFolder.refuse(directory);
      throw new InvalidFileException(
          "[checkpoint] %s has no %s: a checkpoint in diffusers' layout is needed, as Kolors-diffusers."
              .formatted(directory, FILE));
    }
    JsonConfig config = JsonConfig.read(directory.resolve(FILE));
    requirePipeline(config);
    requireClass(config, "text_encoder", "kolors", "ChatGLMModel");
    requireClass(config, "tokenizer", "kolors", "ChatGLMTokenizer");
    requireClass(config, "unet", DIFFUSERS, "UNet2DConditionModel");
    requireClass(config, "vae", DIFFUSERS, "AutoencoderKL");
    String scheduler = config.strings("scheduler", schedulerClasses()).getLast();
    if (scheduler.equals(DIFFUSERS)) {
      throw config.fault(
          "scheduler", "[\"%s\", a class of schedulers] is needed".formatted(DIFFUSERS));
    }
    for (String part : PARTS) {
      boolean needed = !textEncoderMayBeGone || !part.equals("text_encoder");
      if (needed && !Files.isDirectory(directory.resolve(part))) {
        throw new InvalidFileException(
            "[checkpoint] %s has no folder %s, which its %s names. Incomplete download?"
                .formatted(directory, part, FILE));
      }
    }
    return new ModelIndex(scheduler, config.bool("force_zeros_for_empty_prompt", false), config);
  }

  /** Diffusers saves the same components under the name of any of its Kolors pipelines. */
  private static void requirePipeline(JsonConfig config) throws InvalidFileException {
    String name = config.string("_class_name").orElse("KolorsPipeline");
    if (!PIPELINE.matcher(name).matches()) {
      throw config.fault("_class_name", "one of diffusers' Kolors pipelines is needed");
    }
  }

  private static void requireClass(JsonConfig config, String part, String library, String type)
      throws InvalidFileException {
    if (!config.strings(part, library, type).getLast().equals(type)) {
      throw config.fault(part, "[\"%s\", \"%s\"] is needed".formatted(library, type));
    }
  }

  /** The library's name, and those of the classes. */
  private static String[] schedulerClasses() {
    return Stream.concat(
            Stream.of(DIFFUSERS), Schedulers.all().stream().map(SchedulerType::className))
        .toArray(String[]::new);
  }
}
