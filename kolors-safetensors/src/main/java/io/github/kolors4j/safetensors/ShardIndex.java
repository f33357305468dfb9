package io.github.kolors4j.safetensors;

import static io.github.kolors4j.safetensors.SafetensorsException.quote;

import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The index of a sharded checkpoint: {@code {"metadata": …, "weight_map": {tensor: file name}}}.
 *
 * @param shardOf file name of each tensor, in the order of the index
 */
record ShardIndex(Map<String, String> shardOf) {
  private static final String WEIGHT_MAP = "weight_map";

  /** Reads an index; the names of its files are checked, the files are not looked at. */
  static ShardIndex read(Path file) throws IOException {
    byte[] json;
    try {
      // Like a header it lists tensors, so the same limit holds.
      json = SmallFile.read(file, Header.MAX_LENGTH);
      if (json.length > Header.MAX_LENGTH) {
        throw SafetensorsException.of(
            file,
            String.format(
                Locale.ROOT,
                "index has %,d bytes: at most %,d are allowed.",
                Files.size(file),
                Header.MAX_LENGTH));
      }
    } catch (SafetensorsException e) {
      throw e;
    } catch (IOException e) {
      throw SafetensorsException.of(file, "read", e);
    }
    if (GitLfsPointer.matches(json)) {
      throw SafetensorsException.of(file, GitLfsPointer.FAULT);
    }
    Map<String, String> shardOf = new LinkedHashMap<>();
    boolean[] found = new boolean[1];
    try {
      JsonReader.of(json)
          .document(
              document ->
                  document.object(
                      key -> {
                        if (key.equals(WEIGHT_MAP)) {
                          found[0] = true;
                          document.object(
                              tensor ->
                                  shardOf.put(tensor, shard(file, tensor, document.string())));
                        } else {
                          document.value(); // sizes and the like, for people
                        }
                      }));
    } catch (JsonException e) {
      throw SafetensorsException.of(file, "index " + e.reason());
    }
    if (!found[0]) {
      throw SafetensorsException.of(file, "index has no " + WEIGHT_MAP + ".");
    }
    return new ShardIndex(shardOf);
  }

  private static String shard(Path file, String tensor, String name) throws SafetensorsException {
    if (!FileNames.staysInside(name)) {
      throw SafetensorsException.of(
          file,
          "index has tensor %s in %s: a shard must be a file of the index's own directory."
              .formatted(quote(tensor), quote(name)));
    }
    return name;
  }
}
