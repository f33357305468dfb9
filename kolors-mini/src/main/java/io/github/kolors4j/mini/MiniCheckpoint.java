package io.github.kolors4j.mini;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;

/**
 * The shipped mini checkpoint: a very small Kolors that draws a hundred things on ten colours; its
 * model card is beside its sources.
 *
 * <p>Weights are memory-mapped, so they must be files. In a checkout they are; out of the jar they
 * are unpacked once into the user's cache folder, under a name made of their checksums. The folder
 * gets its name only when it is complete, so a killed or a parallel run does no harm.
 */
public final class MiniCheckpoint {
  /** A folder that is the checkpoint, instead of the shipped one. */
  static final String PROPERTY = "kolors4j.mini.checkpoint";

  private static final String RESOURCES = "mini-kolors/";
  private static final String MARK = RESOURCES + "model_index.json";

  private MiniCheckpoint() {}

  /**
   * The checkpoint's folder.
   *
   * @return a folder in diffusers' layout
   * @throws IOException if it has to be unpacked and cannot be
   */
  public static Path directory() throws IOException {
    String given = System.getProperty(PROPERTY, "");
    if (!given.isEmpty()) {
      return Path.of(given);
    }
    URL mark = MiniCheckpoint.class.getClassLoader().getResource(MARK);
    if (mark == null) {
      throw new IOException(
          "[mini checkpoint] " + MARK + " is not on the class path: build again, or give --model.");
    }
    if (mark.getProtocol().equals("file")) {
      return Path.of(uri(mark)).getParent();
    }
    if (mark.openConnection() instanceof JarURLConnection connection) {
      try (JarFile jar = new JarFile(Path.of(uri(connection.getJarFileURL())).toFile())) {
        return unpacked(jar, cacheFolder());
      }
    }
    throw new IOException("[mini checkpoint] cannot be unpacked from " + mark + ".");
  }

  /** The checkpoint of the jar in a folder under {@code cache}, unpacked there if it is not yet. */
  static Path unpacked(JarFile jar, Path cache) throws IOException {
    List<? extends ZipEntry> entries =
        jar.stream()
            .filter(entry -> !entry.isDirectory() && entry.getName().startsWith(RESOURCES))
            .sorted(Comparator.comparing(ZipEntry::getName))
            .toList();
    String name = "mini-kolors-" + fingerprint(entries);
    Path ready = cache.resolve(name);
    if (isComplete(ready, entries)) {
      return ready;
    }
    Path parent;
    try {
      parent = Files.createDirectories(cache);
      if (!Files.isWritable(parent)) {
        throw new IOException(parent + " is not writable");
      }
    } catch (IOException _) {
      parent = temporaryFolder(); // no home, or one that cannot be written to
      ready = parent.resolve(name);
    }
    Path part = Files.createTempDirectory(parent, name + ".part-");
    try {
      for (ZipEntry entry : entries) {
        unpack(jar, entry, part.resolve(relative(entry)));
      }
      return publish(part, ready, entries);
    } finally {
      delete(part);
    }
  }

  /** Gives a complete folder its name, unless another run was faster. */
  private static Path publish(Path part, Path ready, List<? extends ZipEntry> entries)
      throws IOException {
    for (int attempt = 0; attempt < 2; attempt++) {
      try {
        return Files.move(part, ready);
      } catch (FileAlreadyExistsException e) {
        if (isComplete(ready, entries)) {
          return ready;
        }
        delete(ready); // somebody has changed or removed files in it
      }
    }
    throw new IOException("[mini checkpoint] " + ready + " is in the way: delete it.");
  }

  private static void unpack(JarFile jar, ZipEntry entry, Path file) throws IOException {
    Files.createDirectories(file.getParent());
    CRC32 crc = new CRC32();
    try (InputStream in = new CheckedInputStream(jar.getInputStream(entry), crc)) {
      Files.copy(in, file);
    }
    if (crc.getValue() != entry.getCrc()) {
      throw new IOException(
          "[mini checkpoint] %s in %s is damaged: build or fetch the jar again."
              .formatted(entry.getName(), jar.getName()));
    }
  }

  private static boolean isComplete(Path folder, List<? extends ZipEntry> entries)
      throws IOException {
    for (ZipEntry entry : entries) {
      Path file = folder.resolve(relative(entry));
      if (!Files.isRegularFile(file) || Files.size(file) != entry.getSize()) {
        return false;
      }
    }
    return true;
  }

  private static String relative(ZipEntry entry) {
    return entry.getName().substring(RESOURCES.length());
  }

  /** Of names, lengths and checksums: the jar's directory has them, so nothing is decompressed. */
  private static String fingerprint(List<? extends ZipEntry> entries) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (ZipEntry entry : entries) {
        digest.update(entry.getName().getBytes(StandardCharsets.UTF_8));
        digest.update(
            ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(entry.getSize())
                .putLong(entry.getCrc())
                .flip());
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has SHA-256
    }
  }

  private static Path cacheFolder() {
    String given = System.getenv("XDG_CACHE_HOME");
    Path base =
        given != null && given.startsWith("/")
            ? Path.of(given)
            : Path.of(System.getProperty("user.home"), ".cache");
    return base.toAbsolutePath().resolve("kolors4j");
  }

  /** Of this run alone: a fixed name in a folder that others write to could be theirs. */
  private static Path temporaryFolder() throws IOException {
    Path folder = Files.createTempDirectory("kolors4j-");
    Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteQuietly(folder)));
    return folder;
  }

  private static void deleteQuietly(Path folder) {
    try {
      delete(folder);
    } catch (IOException | UncheckedIOException _) {
      // A mapped file cannot be deleted on every system; it is in the temporary folder.
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    List<Path> found;
    try (Stream<Path> files = Files.walk(folder)) {
      found = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : found) {
      Files.deleteIfExists(file);
    }
  }

  private static URI uri(URL url) throws IOException {
    try {
      return url.toURI();
    } catch (URISyntaxException e) {
      throw new IOException("[mini checkpoint] " + url + " is not a usable address.", e);
    }
  }
}
