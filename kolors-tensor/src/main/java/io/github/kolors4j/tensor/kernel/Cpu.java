package io.github.kolors4j.tensor.kernel;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jdk.incubator.vector.VectorShape;

/**
 * What the kernels know of the CPU: read from the JVM's flags and from the system, and assumed
 * where neither tells. Tiles and blocks follow it; no result depends on it, and nothing that is
 * part of the numbers may.
 */
public final class Cpu {
  private static final Set<String> X86 = Set.of("amd64", "x86_64", "x86", "i386");

  /** Linux describes the caches here, unless a virtual machine hides them. */
  private static final Path CACHES = Path.of("/sys/devices/system/cpu/cpu0/cache");

  private static final Pattern SIZE = Pattern.compile("(\\d{1,7})([KM]?)");
  private static final int KB = 1024;

  private static final int L1 = cache(CACHES, 1).orElse(32 * KB);
  private static final int L2 = cache(CACHES, 2).orElse((has32VectorRegisters() ? 1024 : 512) * KB);

  private Cpu() {}

  /** Width of the vectors that the JVM prefers, in bits. Needs the Vector API. */
  static int vectorBits() {
    return VectorShape.preferredShape().vectorBitSize();
  }

  /** How many vector registers C2 may use, of every width: 16 on x86 without AVX-512, else 32. */
  static int vectorRegisters() {
    return has32VectorRegisters() ? 32 : 16;
  }

  private static boolean has32VectorRegisters() {
    if (!X86.contains(System.getProperty("os.arch"))) {
      return true;
    }
    Optional<String> avx = Jvm.CURRENT.flag("UseAVX");
    return avx.isPresent()
        ? Integer.parseInt(avx.get()) >= 3
        : KernelProvider.hasVectorApi() && vectorBits() >= 512;
  }

  /** Whether {@link Math#fma} and its vector form are one instruction; yes where nobody knows. */
  static boolean fma() {
    return Jvm.CURRENT.flag("UseFMA").map(Boolean::parseBoolean).orElse(true);
  }

  /**
   * Size of a core's first cache of data.
   *
   * @return bytes; 32 kB where the system does not tell
   */
  public static int l1Bytes() {
    return L1;
  }

  /**
   * Size of a core's second cache.
   *
   * @return bytes; where the system does not tell, 1 MB for a CPU of 32 vector registers and 512 kB
   *     for others
   */
  public static int l2Bytes() {
    return L2;
  }

  /**
   * Reads the size of a cache of data from a folder as Linux makes it, with {@code level}, {@code
   * type} and {@code size} in a folder for each cache.
   *
   * @return bytes; nothing where there is no such cache, or what is there cannot be read
   */
  static OptionalInt cache(Path caches, int level) {
    try (DirectoryStream<Path> each = Files.newDirectoryStream(caches, "index*")) {
      for (Path cache : each) {
        Matcher size = SIZE.matcher(Files.readString(cache.resolve("size")).strip());
        if (Files.readString(cache.resolve("level")).strip().equals(Integer.toString(level))
            && !Files.readString(cache.resolve("type")).strip().equals("Instruction")
            && size.matches()) {
          int unit = size.group(2).equals("M") ? KB * KB : size.group(2).equals("K") ? KB : 1;
          return OptionalInt.of(Math.multiplyExact(Integer.parseInt(size.group(1)), unit));
        }
      }
    } catch (IOException | ArithmeticException | SecurityException _) {
      // Not Linux, or a system that hides them.
    }
    return OptionalInt.empty();
  }
}
