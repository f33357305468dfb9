package io.github.kolors4j.mini;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The shipped mini checkpoint: a very small Kolors that draws a hundred things on ten colours, 64
 * pixels wide, from English or Chinese. It serves to try, test and demonstrate the whole pipeline
 * in seconds, without a download; it is not a useful image model.
 *
 * <p>Weights are memory-mapped, so they must be files. Where the classes are files in a folder, as
 * in an IDE, the checkpoint is too, and is used where it is. From anywhere else (a jar, a jar
 * within a jar, a run-time image of {@code jlink}) it is unpacked once, 15 MB, into {@code
 * kolors4j} in the user's cache folder, which is {@code $XDG_CACHE_HOME} or {@code ~/.cache}, under
 * a name made of the files' checksums. The folder gets its name only when it is complete, so a
 * killed or a parallel run does no harm, and a file that was changed or removed since is replaced.
 * Without a home that can be written to, a temporary folder serves, until the JVM ends.
 *
 * <p>With it come a {@linkplain #controlNet ControlNet}, an {@linkplain #ipAdapter IP-Adapter} and
 * a U-Net {@linkplain #inpaintingUnet for inpainting} of its size, which are unpacked, in the same
 * way, when one of them is asked for: 18 MB.
 *
 * <p>The system properties {@code kolors4j.mini.checkpoint} and {@code kolors4j.mini.extensions}
 * name folders to use instead.
 */
public final class MiniCheckpoint {
  private static final Shipped CHECKPOINT =
      new Shipped("checkpoint", "model_index.json", "mini-kolors");

  private static final Shipped EXTENSIONS =
      new Shipped("extensions", "controlnet/config.json", "mini-kolors-extensions");

  /**
   * Files that are shipped together.
   *
   * @param name of their folder, beside this class, so that no other jar has it and shading moves
   *     both; of their list; and of the system property for a folder that is used instead
   * @param first a file in it, by which the folder is found where it is one
   * @param cached how the name of the unpacked folder begins
   */
  private record Shipped(String name, String first, String cached) {
    String property() {
      return "kolors4j.mini." + name;
    }

    String resource(String file) {
      return name + "/" + file;
    }

    Path directory() throws IOException {
      String given = System.getProperty(property(), "");
      if (!given.isEmpty()) {
        return Path.of(given);
      }
      URL file = MiniCheckpoint.class.getResource(resource(first));
      if (file != null && file.getProtocol().equals("file")) {
        Path folder = path(file);
        for (int i = 0; i < Path.of(first).getNameCount(); i++) {
          folder = folder.resolve("..");
        }
        return folder.normalize();
      }
      CheckpointFiles files;
      try (InputStream list = MiniCheckpoint.resource(name + "-files.txt")) {
        files = CheckpointFiles.read(list, cached);
      }
      return unpacked(files, each -> MiniCheckpoint.resource(resource(each)), cacheFolder());
    }
  }

  private static @Nullable Path temporaryFolder;

  private MiniCheckpoint() {}

  /**
   * The checkpoint's folder, for {@code KolorsPipeline.open}. May be called by several threads and
   * processes at once; the files are to be read only.
   *
   * @return a folder in diffusers' layout, with {@code model_index.json} and a folder a component
   * @throws IOException if the checkpoint has to be unpacked and cannot be, or is not there at all
   */
  public static Path directory() throws IOException {
    return CHECKPOINT.directory();
  }

  /**
   * A ControlNet for the mini checkpoint, which follows edges as {@code Canny} finds them, for
   * {@code ControlNet.of}. As {@link #directory} otherwise.
   *
   * @return a folder with {@code config.json} and the weights
   * @throws IOException if it has to be unpacked and cannot be, or is not there at all
   */
  public static Path controlNet() throws IOException {
    return EXTENSIONS.directory().resolve("controlnet");
  }

  /**
   * An IP-Adapter-Plus for the mini checkpoint, with its image encoder, for {@code IpAdapter.of}.
   * As {@link #directory} otherwise.
   *
   * @return a folder with the adapter's file and {@code image_encoder}
   * @throws IOException if it has to be unpacked and cannot be, or is not there at all
   */
  public static Path ipAdapter() throws IOException {
    return EXTENSIONS.directory().resolve("ip_adapter");
  }

  /**
   * The weights of a U-Net of 9 channels for the mini checkpoint, which paints into a mask what
   * goes with the surroundings, for {@code KolorsPipeline.Builder.unet}. As {@link #directory}
   * otherwise.
   *
   * @return a safetensors file under diffusers' names
   * @throws IOException if it has to be unpacked and cannot be, or is not there at all
   */
  public static Path inpaintingUnet() throws IOException {
    return EXTENSIONS.directory().resolve("inpainting/diffusion_pytorch_model.safetensors");
  }

  /** Files unpacked in the cache or, where that cannot be, in a temporary folder. */
  static Path unpacked(CheckpointFiles files, CheckpointFiles.Source source, Optional<Path> cache)
      throws IOException {
    if (cache.isPresent()) {
      Path ready = cache.get().resolve(files.folderName());
      if (files.damagedIn(ready).isEmpty()) {
        return ready;
      }
      if (canBeWrittenTo(cache.get())) {
        return files.unpack(source, cache.get());
      }
    }
    return files.unpack(source, temporaryFolder(cache));
  }

  /**
   * {@code kolors4j} in the user's cache folder; none without a home, which is {@code ?} for a user
   * that the system does not know, as in a container that was given a number for one.
   */
  private static Optional<Path> cacheFolder() {
    String given = System.getenv("XDG_CACHE_HOME");
    if (given != null && Path.of(given).isAbsolute()) {
      return Optional.of(Path.of(given, "kolors4j"));
    }
    return home().map(home -> home.resolve(".cache").resolve("kolors4j"));
  }

  /**
   * {@code HOME}, as for Python and for whoever starts a program with another one, else what the
   * JVM found in the list of users. The library has the same rule, and this module does not know
   * it.
   */
  private static Optional<Path> home() {
    String given = File.separatorChar == '/' ? System.getenv("HOME") : null;
    String home =
        given != null && given.startsWith("/") ? given : System.getProperty("user.home", "");
    return Optional.of(Path.of(home)).filter(Path::isAbsolute);
  }

  private static boolean canBeWrittenTo(Path folder) {
    try {
      return Files.isWritable(Files.createDirectories(folder));
    } catch (IOException _) {
      return false;
    }
  }

  /** Of this process alone: a fixed name in a folder that others write to could be theirs. */
  private static synchronized Path temporaryFolder(Optional<Path> cache) throws IOException {
    if (temporaryFolder == null) {
      Path folder;
      try {
        folder = Files.createTempDirectory("kolors4j-");
      } catch (IOException e) {
        throw new IOException(
            ("[mini checkpoint] neither %s nor %s can be written to: set XDG_CACHE_HOME to a folder"
                    + " that can, or -D%s to one that has the checkpoint.")
                .formatted(
                    cache.map(Path::toString).orElse("a home folder"),
                    System.getProperty("java.io.tmpdir"),
                    CHECKPOINT.property()),
            e);
      }
      Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteQuietly(folder)));
      temporaryFolder = folder;
    }
    return temporaryFolder;
  }

  private static void deleteQuietly(Path folder) {
    try {
      CheckpointFiles.delete(folder);
    } catch (IOException | UncheckedIOException _) {
      // A mapped file cannot be deleted on every system; it is in the temporary folder.
    }
  }

  /** By the class itself: in a named module nobody else may. */
  private static InputStream resource(String name) throws IOException {
    InputStream resource = MiniCheckpoint.class.getResourceAsStream(name);
    if (resource == null) {
      throw new IOException(
          ("[mini checkpoint] %s is not beside the class: build or fetch kolors-mini again, or open"
                  + " another checkpoint.")
              .formatted(name));
    }
    return resource;
  }

  private static Path path(URL url) throws IOException {
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IOException("[mini checkpoint] " + url + " is not a usable address.", e);
    }
  }
}
