package io.github.kolors4j.components;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What people call a checkpoint, without the folders of somebody's home. */
final class CheckpointName {
  private static final String SNAPSHOTS = "snapshots";

  /** A repository's folder in Hugging Face's cache. */
  private static final Pattern REPOSITORY = Pattern.compile("models--(.+?)--(.+)");

  private CheckpointName() {}

  /** {@code owner/name@revision} in Hugging Face's cache, elsewhere the folder's own name. */
  static String of(Path directory) {
    Path path = directory.toAbsolutePath().normalize();
    String name = last(path);
    Path parent = path.getParent();
    if (parent != null && last(parent).equals(SNAPSHOTS) && parent.getParent() != null) {
      Matcher repository = REPOSITORY.matcher(last(parent.getParent()));
      if (repository.matches()) {
        return repository.group(1) + "/" + repository.group(2) + "@" + name;
      }
    }
    return name;
  }

  private static String last(Path path) {
    Path name = path.getFileName();
    return name == null ? "" : name.toString();
  }
}
