package io.github.kolors4j.components;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Loads what the end of a request needs while its beginning computes: the JDK's writers of pictures
 * and their native libraries. They need file handles, and a JVM that had none left when it loaded
 * them for the first time never tries again: no picture could be saved any more.
 */
final class LoadAhead {
  private static final AtomicBoolean BEGUN = new AtomicBoolean();

  private LoadAhead() {}

  /** Begins to load, once in a JVM; nobody waits for it, as it takes a tenth of a second. */
  static void begin() {
    if (BEGUN.getAndSet(true)) {
      return;
    }
    try {
      Thread.ofPlatform().daemon().name("kolors4j-load-ahead").start(LoadAhead::load);
    } catch (OutOfMemoryError _) {
      // No thread for it: then the first picture that is saved loads all of it, as it would have.
    }
  }

  /** Writes a pixel in each format. */
  private static void load() {
    KolorsImage pixel = KolorsImage.of(1, 1, new byte[3]);
    try {
      for (ImageFormat format : ImageFormat.values()) {
        pixel.writeTo(OutputStream.nullOutputStream(), format, Map.of("Title", "none"));
      }
    } catch (IOException | RuntimeException | Error _) {
      // Whoever saves a picture meets it again, and has somebody to tell.
    }
  }
}
