package io.github.kolors4j.spark;

import io.github.kolors4j.batch.RequestFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkFiles;
import org.jspecify.annotations.Nullable;

/**
 * The files that rows name: pictures on any file system that Hadoop knows; adapters and ControlNets
 * of the executor's machine, shipped with the job, or, where one is a single file, copied from such
 * a file system once.
 *
 * @param base what relative names of pictures are relative to, where somebody has said
 * @param configuration of the file systems
 */
record ExecutorFiles(@Nullable String base, Configuration configuration) implements RequestFiles {
  @Override
  public byte[] picture(String name) throws IOException {
    Path file = base == null ? new Path(name) : new Path(new Path(base), name);
    try (InputStream in = file.getFileSystem(configuration).open(file)) {
      return in.readAllBytes();
    }
  }

  @Override
  public java.nio.file.Path adapter(String name) {
    try {
      java.nio.file.Path local = java.nio.file.Path.of(name);
      if (Files.exists(local)) {
        return local;
      }
      java.nio.file.Path shipped = java.nio.file.Path.of(SparkFiles.get(name));
      if (Files.exists(shipped)) {
        return shipped;
      }
      return name.contains("://") ? copied(name) : local;
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(
          "[spark] \"%s\" cannot be the name of a file.".formatted(name), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of this executor's own temporary folder, under a name that tells files apart. */
  private java.nio.file.Path copied(String name) throws IOException {
    Path file = new Path(name);
    java.nio.file.Path copy =
        java.nio.file.Path.of(
            SparkFiles.getRootDirectory(),
            String.format(Locale.ROOT, "%08x-%s", file.toUri().hashCode(), file.getName()));
    synchronized (ExecutorFiles.class) {
      if (!Files.exists(copy)) {
        FileSystem fileSystem = file.getFileSystem(configuration);
        if (fileSystem.getFileStatus(file).isDirectory()) {
          throw new IllegalArgumentException(
              "[spark] %s is a folder on another machine: ship it with --archives FILE.zip#NAME, and name it NAME."
                  .formatted(name));
        }
        java.nio.file.Path part = copy.resolveSibling(copy.getFileName() + ".part");
        try (InputStream in = fileSystem.open(file)) {
          Files.copy(in, part, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        Files.move(part, copy, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
      }
    }
    return copy;
  }
}
