package io.github.kolors4j.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Damaged files of every format: each ends in a picture or in the documented exception, soon and
 * without much memory. {@code -Dkolors4j.fuzz.seconds=N} goes on for so long, with other damage
 * each time.
 */
class DamagedPictureTest {
  private static final int INPUTS = 6_000;
  private static final long SEED = 20261128;
  private static final long SECONDS = Long.getLong("kolors4j.fuzz.seconds", 0);

  private static final PictureLimits LIMITS = new PictureLimits(1 << 16, 1 << 20);

  /** Of the processor's time: the machine may have other things to do. */
  private static final long MOST_NANOSECONDS = 1_000_000_000;

  /**
   * In bytes, most of them garbage at once: the pixels of the limit in all the forms that a decoder
   * has them in take 4 MB, the tables of a lossless WebP file up to 17.
   */
  private static final long MOST_ALLOCATED = 24 << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static PictureFiles files;

  @BeforeAll
  static void open() throws IOException {
    files = PictureFiles.open();
  }

  @AfterAll
  static void close() {
    files.close();
  }

  @Test
  void aFileThatIsCutAtAnyByteIsRefusedOrHasAllOfItsPixels() throws IOException {
    for (String name : files.names()) {
      byte[] whole = files.bytes(name);
      if (whole.length > 1500) {
        continue; // there are shorter ones of each kind
      }
      KolorsImage picture = read(name, whole);
      for (int length = 0; length < whole.length; length++) {
        KolorsImage read = read(name, Arrays.copyOf(whole, length));
        if (read != null) {
          assertEquals(picture, read, name + " cut to " + length);
        }
      }
    }
  }

  @Test
  void aDamagedFileEndsInAPictureOrInOneSentence() throws IOException {
    long seed = SECONDS == 0 ? SEED : System.nanoTime();
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    List<byte[]> seeds = files.names().stream().map(files::bytes).toList();
    Damage damage = new Damage(random, seeds);
    long end = System.nanoTime() + SECONDS * 1_000_000_000;
    int read = 0;
    int inputs = 0;
    while (SECONDS == 0 ? inputs < INPUTS : System.nanoTime() < end) {
      byte[] file = damage.next();
      if (read("seed " + seed + " input " + inputs, file) != null) {
        read++;
      }
      inputs++;
    }
    System.out.printf("%,d damaged files, of which %,d were read%n", inputs, read);
    assertTrue(read > inputs / 20 && read < inputs, "most damage goes deep, and some is harmless");
  }

  /** The picture, or null where it is refused as it should be. */
  private static KolorsImage read(String name, byte[] file) throws IOException {
    long thread = Thread.currentThread().threadId();
    long time = THREADS.getCurrentThreadCpuTime();
    long allocated = THREADS.getThreadAllocatedBytes(thread);
    KolorsImage picture = null;
    try {
      picture = KolorsImage.read(file, name, LIMITS);
      assertTrue((long) picture.width() * picture.height() <= LIMITS.maxPixels(), name);
    } catch (InvalidPictureException e) {
      assertTrue(e.getMessage().startsWith("[image] " + name + " "), e.getMessage());
      assertTrue(e.getMessage().length() < 500, e.getMessage());
    } catch (RuntimeException | Error e) {
      throw new AssertionError(name + " in " + keep(file), e);
    }
    long spent = THREADS.getCurrentThreadCpuTime() - time;
    long taken = THREADS.getThreadAllocatedBytes(thread) - allocated;
    if (spent > MOST_NANOSECONDS || taken > MOST_ALLOCATED) {
      throw new AssertionError(
          "%s took %,d ns and %,d bytes: %s".formatted(name, spent, taken, keep(file)));
    }
    return picture;
  }

  private static Path keep(byte[] file) throws IOException {
    return Files.write(Files.createTempFile(Path.of("target"), "damaged", ".bin"), file);
  }
}
