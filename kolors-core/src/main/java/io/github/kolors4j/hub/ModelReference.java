package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A checkpoint as people name one in a setting or on a command line: by its folder, or by its
 * repository.
 */
public sealed interface ModelReference {
  /**
   * A checkpoint in a folder.
   *
   * @param directory in diffusers' layout; need not be there
   */
  record Folder(Path directory) implements ModelReference {
    @Override
    public Path directory(Variant variant) {
      return directory;
    }
  }

  /**
   * A checkpoint by its name at the hub.
   *
   * @param revision repository and revision
   */
  record Repository(RepoRevision revision) implements ModelReference {
    @Override
    public Path directory(Variant variant) throws IOException {
      return HubModel.of(revision.toString()).snapshot(variant);
    }
  }

  /**
   * Reads a name. What exists is a folder; what does not and can be the name of a repository is
   * one; all else is a folder that will be missed.
   *
   * @param model a folder, {@code owner/name}, {@code owner/name@revision}, or {@code
   *     modelscope://owner/name}
   * @return which it is
   * @throws IllegalArgumentException if it can be neither
   */
  static ModelReference parse(String model) {
    Objects.requireNonNull(model, "model");
    if (model.contains("://")) {
      return new Repository(RepoRevision.parse(model));
    }
    Path folder;
    try {
      folder = Path.of(model);
    } catch (InvalidPathException _) {
      return new Repository(RepoRevision.parse(model));
    }
    if (Files.exists(folder)) {
      return new Folder(folder);
    }
    try {
      return new Repository(RepoRevision.parse(model));
    } catch (IllegalArgumentException _) {
      return new Folder(folder);
    }
  }

  /**
   * What answers to others call a checkpoint: where it lies on this machine is nobody else's
   * business.
   *
   * @param model as {@link #parse} takes it
   * @return the last part of a folder's path; the name of a repository as it was given
   * @throws IllegalArgumentException if it can be neither
   */
  static String publicName(String model) {
    return switch (parse(model)) {
      case Folder(Path directory) -> {
        Path last = directory.toAbsolutePath().normalize().getFileName();
        yield last == null ? model : last.toString();
      }
      case Repository _ -> model;
    };
  }

  /**
   * The checkpoint's folder. A repository is downloaded where it is not in the cache.
   *
   * @param variant which copy of the weights
   * @return the folder, in diffusers' layout
   * @throws HubException if the repository cannot be had; the message says what to do
   * @throws IOException if the cache cannot be read or written
   */
  Path directory(Variant variant) throws IOException;
}
