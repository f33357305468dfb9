package io.github.kolors4j.components;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.safetensors.NewDirectory;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.Schedulers;
import java.io.IOException;
import java.nio.file.Path;

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
        components.textEncoder().byteLength()
            + components.unet().byteLength()
            + components.vae().byteLength();
    try (var target = NewDirectory.create("save", directory, bytes, "")) {
      Path root = target.path();
      components.tokenizer().savePretrained(root.resolve("tokenizer"));
      Schedulers.save(scheduler, root.resolve("scheduler"));
      components.vae().savePretrained(root.resolve("vae"), options);
      components.unet().savePretrained(root.resolve("unet"), options);
      components.textEncoder().savePretrained(root.resolve("text_encoder"), options);
      target.write(ModelIndex.FILE, modelIndex());
      target.complete();
    }
  }

  /** The index as it was read, with this scheduler and without the components that are not here. */
  private String modelIndex() {
    JsonObject json = JsonParser.parseString(index.json().text()).getAsJsonObject();
    for (var entry : json.entrySet()) {
      boolean component = entry.getValue().isJsonArray() && !entry.getKey().startsWith("_");
      if (component && !ModelIndex.PARTS.contains(entry.getKey())) {
        JsonArray absent = new JsonArray();
        absent.add(JsonNull.INSTANCE);
        absent.add(JsonNull.INSTANCE);
        entry.setValue(absent);
      }
    }
    JsonArray named = json.getAsJsonArray("scheduler");
    named.set(named.size() - 1, new JsonPrimitive(scheduler.className()));
    return new GsonBuilder()
            .setPrettyPrinting()
            .serializeNulls()
            .disableHtmlEscaping()
            .create()
            .toJson(json)
        + "\n";
  }
}
