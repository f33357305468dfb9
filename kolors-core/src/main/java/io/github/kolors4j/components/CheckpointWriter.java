package io.github.kolors4j.components;

import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.safetensors.NewDirectory;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a checkpoint in diffusers' layout from components that are open.
 *
 * @param index of the checkpoint that was opened
 * @param components its components, or those that took their places
 * @param scheduler the one to name
 */
record CheckpointWriter(ModelIndex index, Components components, Scheduler scheduler) {

  /**
   * Writes everything; the directory is there when it is complete.
   *
   * @param directory must not exist, or be empty
   */
  void write(Path directory, SaveOptions options) throws IOException {
    Schedulers.requireSavable(scheduler);
    long bytes =
        components.textEncoder().model().byteLength()
            + components.unet().byteLength()
            + components.vae().byteLength();
    try (var target = NewDirectory.create("save", directory, bytes, "")) {
      Path root = target.path();
      components.tokenizer().savePretrained(root.resolve("tokenizer"));
      Schedulers.save(scheduler, root.resolve("scheduler"));
      components.vae().savePretrained(root.resolve("vae"), options);
      components.unet().savePretrained(root.resolve("unet"), options);
      components.textEncoder().model().savePretrained(root.resolve("text_encoder"), options);
      target.write(ModelIndex.FILE, modelIndex());
      target.complete();
    }
  }

  /** The index as it was read, with this scheduler and without the components that are not here. */
  private String modelIndex() throws IOException {
    Map<String, Object> json = new LinkedHashMap<>();
    for (var entry : JsonReader.of(index.json().text()).object().entrySet()) {
      boolean component = entry.getValue() instanceof List<?> && !entry.getKey().startsWith("_");
      boolean absent = component && !ModelIndex.PARTS.contains(entry.getKey());
      json.put(entry.getKey(), absent ? Arrays.asList(null, null) : entry.getValue());
    }
    if (json.get("scheduler") instanceof List<?> named) {
      json.put("scheduler", List.of(named.getFirst(), scheduler.className()));
    }
    return JsonWriter.indented(json) + "\n";
  }
}
