package io.github.kolors4j.spark;

import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/**
 * Pictures on a file system that Hadoop knows. A picture has its name when it is whole; of tasks
 * that make the same one, whichever comes first has made it, since their bytes are equal.
 */
final class PictureFolder implements AutoCloseable {
  private final FileSystem fileSystem;
  private final Path folder;

  PictureFolder(String folder, Configuration configuration) throws IOException {
    this.folder = new Path(folder);
    URI uri = this.folder.toUri();
    // Its own and not the JVM's: a file system of the disk would write a checksum beside each file.
    this.fileSystem =
        FileSystem.newInstance(
            uri.getScheme() == null ? FileSystem.getDefaultUri(configuration) : uri, configuration);
    fileSystem.setWriteChecksum(false);
  }

  /** The bytes of a picture, or null where it is not there; one that is damaged is removed. */
  byte @Nullable [] find(String name) throws IOException {
    Path file = new Path(folder, name);
    byte[] bytes;
    try (InputStream in = fileSystem.open(file)) {
      bytes = in.readAllBytes();
    } catch (FileNotFoundException _) {
      return null;
    }
    try {
      KolorsImage.read(bytes, name, PictureLimits.DEFAULT);
      return bytes;
    } catch (InvalidPictureException _) {
      fileSystem.delete(file, false);
      return null;
    }
  }

  /** Writes a picture; where somebody else was faster it stays as it is. */
  void write(String name, byte[] bytes, long attempt) throws IOException {
    Path file = new Path(folder, name);
    Path part = new Path(folder, "." + name + "." + attempt + ".part");
    try (OutputStream out = fileSystem.create(part, true)) {
      out.write(bytes);
    }
    try {
      if (fileSystem.rename(part, file)) {
        return;
      }
    } catch (FileAlreadyExistsException _) {
      // as object stores say it
    }
    boolean there = fileSystem.exists(file);
    fileSystem.delete(part, false);
    if (!there) {
      throw new IOException(
          "[spark] %s cannot be written: the file system has not renamed %s."
              .formatted(file, part.getName()));
    }
  }

  @Override
  public void close() throws IOException {
    fileSystem.close();
  }
}
