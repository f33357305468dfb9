package io.github.kolors4j.mini;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * The files of a checkpoint, as a list that is kept beside them: not everything that resources are
 * read from can say what it has.
 *
 * @param files each file once
 * @param folderName what a folder with exactly these files is called
 */
record CheckpointFiles(List<ListedFile> files, String folderName) {
  /**
   * One line of the list: CRC-32 in hexadecimal, length in bytes and name, with blanks between
   * them.
   *
   * @param crc CRC-32 of its bytes
   * @param size number of bytes
   * @param name path below the checkpoint's folder, with {@code /}
   */
  record ListedFile(long crc, long size, String name) {
    static ListedFile parse(String line) {
      String[] parts = line.split(" ", 3);
      return new ListedFile(Long.parseLong(parts[0], 16), Long.parseLong(parts[1]), parts[2]);
    }

    Path in(Path folder) {
      return folder.resolve(name);
    }

    boolean isIntactIn(Path folder) {
      Path file = in(folder);
      try {
        if (!Files.isRegularFile(file) || Files.size(file) != size) {
          return false;
        }
        try (FileChannel channel = FileChannel.open(file)) {
          return crc(channel) == crc;
        }
      } catch (IOException _) {
        return false; // What cannot be read has to be replaced too.
      }
    }

    private static long crc(FileChannel channel) throws IOException {
      CRC32 crc = new CRC32();
      ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
      while (channel.read(buffer) >= 0) {
        crc.update(buffer.flip());
        buffer.clear();
      }
      return crc.getValue();
    }
  }

  /** Where the files come from. */
  interface Source {
    InputStream open(String name) throws IOException;
  }

  /** Reads the list of files whose folder's name is to begin so. */
  static CheckpointFiles read(InputStream list, String name) throws IOException {
    byte[] bytes = list.readAllBytes();
    List<ListedFile> files =
        new String(bytes, StandardCharsets.UTF_8).lines().map(ListedFile::parse).toList();
    return new CheckpointFiles(files, name + "-" + fingerprint(bytes));
  }

  private static String fingerprint(byte[] list) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(list);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has SHA-256
    }
  }

  /**
   * The files that a folder has not, or not as listed. Their bytes are read (15 MB in some 10 ms):
   * a changed weight of the right length would give another picture and no error.
   */
  List<ListedFile> damagedIn(Path folder) {
    return files.stream().filter(file -> !file.isIntactIn(folder)).toList();
  }

  /**
   * Makes the folder of these files, or mends it: it gets its name when all of it is there, and a
   * file of an older one is replaced in one go. So nobody who uses it, now or at the same time,
   * sees a part.
   */
  Path unpack(Source source, Path parent) throws IOException {
    Path ready = parent.resolve(folderName);
    Path part = Files.createTempDirectory(parent, folderName + ".part-");
    try {
      for (ListedFile file : files) {
        unpack(source, file, file.in(part));
      }
      if (Files.notExists(ready) && isRenamed(part, ready)) {
        return ready;
      }
      for (ListedFile file : damagedIn(ready)) {
        replace(file, part, ready);
      }
      return ready;
    } finally {
      delete(part);
    }
  }

  private static void unpack(Source source, ListedFile file, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    CRC32 crc = new CRC32();
    try (InputStream in = new CheckedInputStream(source.open(file.name()), crc)) {
      Files.copy(in, to);
    }
    if (crc.getValue() != file.crc() || Files.size(to) != file.size()) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "[mini checkpoint] %s has %d bytes with CRC-32 %08x, and %d with %08x are listed:"
                  + " build or fetch kolors-mini again.",
              file.name(),
              Files.size(to),
              crc.getValue(),
              file.size(),
              file.crc()));
    }
  }

  /** False where another run was faster. */
  private static boolean isRenamed(Path part, Path ready) throws IOException {
    try {
      Files.move(part, ready);
      return true;
    } catch (FileSystemException e) {
      if (Files.isDirectory(ready)) {
        return false;
      }
      throw e;
    }
  }

  private static void replace(ListedFile file, Path part, Path ready) throws IOException {
    try {
      Files.createDirectories(file.in(ready).getParent());
      Files.move(file.in(part), file.in(ready), StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      throw new IOException(
          "[mini checkpoint] %s in %s is damaged and cannot be replaced (%s): delete that folder."
              .formatted(file.name(), ready, e.getMessage()),
          e);
    }
  }

  /** Deletes a folder with all that it has; nothing where there is none. */
  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    List<Path> found;
    try (Stream<Path> files = Files.walk(folder)) {
      found = files.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path file : found) {
      Files.deleteIfExists(file);
    }
  }
}
