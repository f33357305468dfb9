package io.github.kolors4j.batch;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The files that rows name: pictures, adapters and ControlNets. */
public interface RequestFiles {
  /**
   * Reads a picture's file.
   *
   * @param name as the row has it
   * @return its bytes
   * @throws IOException if it cannot be read
   */
  byte[] picture(String name) throws IOException;

  /**
   * Where an adapter, a ControlNet or an image encoder is.
   *
   * @param name as the row has it
   * @return a file or folder of this machine
   */
  Path adapter(String name);

  /**
   * Where a ControlNet is.
   *
   * @param name as the row has it
   * @return a folder of this machine
   * @throws IOException if it cannot be had
   */
  default Path controlNet(String name) throws IOException {
    return adapter(name);
  }

  /**
   * Where an IP-Adapter is.
   *
   * @param name as the row has it
   * @return a file or folder of this machine
   * @throws IOException if it cannot be had
   */
  default Path ipAdapter(String name) throws IOException {
    return adapter(name);
  }

  /**
   * Files of this machine.
   *
   * @param folder what names are relative to
   * @return the files
   */
  static RequestFiles in(Path folder) {
    return new RequestFiles() {
      @Override
      public byte[] picture(String name) throws IOException {
        Path file = adapter(name);
        try {
          return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
          throw new InvalidFileException("[batch] the image %s does not exist.".formatted(file), e);
        }
      }

      @Override
      public Path adapter(String name) {
        try {
          return folder.resolve(name);
        } catch (InvalidPathException e) {
          throw new IllegalArgumentException(
              "[batch] \"%s\" cannot be the name of a file.".formatted(name), e);
        }
      }
    };
  }
}
