package io.github.kolors4j.prompts;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.prompts.PromptCache.Encoder;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What the cache knows of the text encoder in a folder: its identity, and the sizes and times of
 * its files then. So a prompt that is remembered needs no file of the encoder at all.
 *
 * @param cache the cache's folder
 * @param component the encoder's folder
 * @param variant of its weights, empty for the usual
 */
record KnownEncoder(Path cache, Path component, String variant) {
  private static final String IDENTITY = "identity";
  private static final String FILES = "files";

  /** Size and time of each file, by name; empty where the folder is not there. */
  Map<String, String> filesNow() {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> listed = Files.list(component)) {
      for (Path file : listed.toList()) {
        if (Files.isRegularFile(file)) {
          files.put(
              String.valueOf(file.getFileName()),
              Files.size(file) + " " + Files.getLastModifiedTime(file).toMillis());
        }
      }
    } catch (IOException _) {
      // What cannot be read is as good as gone.
    }
    return files;
  }

  /** What is known, if what is there is what was there: files may only have been removed. */
  Optional<Encoder> find(Map<String, String> now) {
    try {
      Map<String, Object> known = JsonReader.of(Files.readString(file())).object();
      if (known.get(IDENTITY) instanceof String identity
          && known.get(FILES) instanceof Map<?, ?> files
          && now.entrySet().stream()
              .allMatch(each -> each.getValue().equals(files.get(each.getKey())))) {
        return Optional.of(encoder(identity, files));
      }
    } catch (IOException _) {
      // Never seen, or damaged: it is written anew.
    }
    return Optional.empty();
  }

  /**
   * The sizes and times are part of the key: an identity is blind to bytes that it does not sample,
   * as those of a damaged file that was replaced.
   */
  static Encoder encoder(String identity, Map<?, ?> files) {
    Identity key = new Identity().add(identity);
    new TreeMap<>(files).forEach((name, stamp) -> key.add(name + " " + stamp));
    return new Encoder(identity, key.digits());
  }

  void remember(String identity, Map<String, String> files) throws IOException {
    Files.createDirectories(cache);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(IDENTITY, identity);
    json.put(FILES, files);
    Path part = Files.createTempFile(cache, ".encoder", ".part");
    try {
      Files.writeString(part, JsonWriter.compact(json));
      Files.move(part, file(), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private Path file() {
    Path place = component.toAbsolutePath().normalize();
    String name = new Identity().add(place.toString()).add(variant).digits();
    return cache.resolve("encoder-" + name + ".json");
  }
}
