package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A repository's folder in the hub's cache, as {@code models--Kwai-Kolors--Kolors-diffusers}: its
 * files are one level further down, in {@code snapshots/REVISION}, and it is easily taken for them.
 */
public final class HubCacheFolder {
  private static final String SNAPSHOTS = "snapshots";

  private HubCacheFolder() {}

  /**
   * Refuses such a folder in the place of a snapshot.
   *
   * @param directory what should be a checkpoint
   * @throws InvalidFileException if it is the folder above its snapshots, with the name of one
   */
  public static void refuse(Path directory) throws InvalidFileException {
    boolean inside = directory.endsWith(SNAPSHOTS);
    Path snapshots = inside ? directory : directory.resolve(SNAPSHOTS);
    Path repository = inside ? directory.toAbsolutePath().getParent() : directory;
    if (repository == null || !Files.isDirectory(snapshots) || !isRepository(repository)) {
      return;
    }
    List<String> found;
    try (Stream<Path> folders = Files.list(snapshots)) {
      found = folders.map(folder -> folder.getFileName().toString()).sorted().toList();
    } catch (IOException _) {
      return; // Whoever opens it finds out.
    }
    throw new InvalidFileException(
        "[checkpoint] %s is a repository in the hub's cache, and the checkpoint is in %s."
            .formatted(
                directory,
                switch (found.size()) {
                  case 0 -> "none of its snapshots, of which it has none: download it again";
                  case 1 -> snapshots.resolve(found.getFirst()) + ": give that folder";
                  default ->
                      "one of its %s snapshots: give such a folder, as %s"
                          .formatted(found.size(), snapshots.resolve(current(repository, found)));
                }));
  }

  private static boolean isRepository(Path folder) {
    return Files.isDirectory(folder.resolve("refs")) || Files.isDirectory(folder.resolve("blobs"));
  }

  /** The snapshot that the branch main is at. */
  private static String current(Path repository, List<String> snapshots) {
    try {
      String main = Files.readString(repository.resolve("refs/main")).strip();
      return snapshots.contains(main) ? main : snapshots.getFirst();
    } catch (IOException _) {
      return snapshots.getFirst();
    }
  }
}
