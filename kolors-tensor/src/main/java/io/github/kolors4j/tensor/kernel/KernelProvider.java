package io.github.kolors4j.tensor.kernel;

import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLogger;

/** Chooses the kernels once a JVM and says which, or why not the fast ones. */
public final class KernelProvider {
  private static final String MODULE = "jdk.incubator.vector";
  private static final Logger LOG = LoggerFactory.getLogger(KernelProvider.class);
  private static final Kernels KERNELS = choose();

  private KernelProvider() {}

  /**
   * The kernels of this JVM.
   *
   * @return always the same
   */
  public static Kernels kernels() {
    return KERNELS;
  }

  /**
   * Width of the kernels' vectors.
   *
   * @return in bits; 0 for the scalar kernels
   */
  public static int vectorBits() {
    return KERNELS instanceof VectorKernels ? VectorWidth.SHAPE.vectorBitSize() : 0;
  }

  /**
   * Whether a multiply-add is one instruction.
   *
   * @return true where nobody knows
   */
  public static boolean fma() {
    return Cpu.fma();
  }

  /**
   * Why the kernels are slower than they could be, and what helps.
   *
   * @return two parts of a sentence, or nothing where they are not
   */
  public static String slowness() {
    if (!fma()) {
      return "no fused multiply-add: use a CPU with FMA, and no -XX:-UseFMA";
    }
    if (!hasVectorApi()) {
      return "no Vector API: start java with --add-modules " + MODULE;
    }
    return Jvm.CURRENT.slowVectors().map(slow -> slow.reason() + ": " + slow.cure()).orElse("");
  }

  /** Whether the JVM runs with the module of the Vector API. */
  static boolean hasVectorApi() {
    return ModuleLayer.boot().findModule(MODULE).isPresent();
  }

  private static Kernels choose() {
    Kernels kernels = choose(RequestedWidth.bits());
    boolean fma = Cpu.fma();
    if (!fma) {
      warn(
          "[kernels] this CPU, or this JVM's flags, have no fused multiply-add: results are"
              + " correct but take about a thousand times longer. Use a CPU with FMA (x86 since"
              + " 2013, every 64-bit Arm) and no -XX:-UseFMA.");
    }
    LOG.info("kernels: {}{}", kernels.description(), fma ? ", FMA" : ", no FMA");
    return kernels;
  }

  private static Kernels choose(Optional<Integer> requested) {
    if (requested.equals(Optional.of(0))) {
      return new ScalarKernels();
    }
    if (!hasVectorApi()) {
      warn(
          "[kernels] the JVM runs without the Vector API, so the scalar kernels are used, many"
              + " times slower: start java with --add-modules "
              + MODULE);
      return new ScalarKernels();
    }
    Optional<Jvm.Slowness> slow = Jvm.CURRENT.slowVectors();
    boolean vectors = requested.isPresent() || slow.isEmpty() || slow.get().vectors();
    if (slow.isPresent()) {
      warn(
          "[kernels] %s: the %s kernels are used, many times slower than vectors can be; %s"
              .formatted(slow.get().reason(), vectors ? "vector" : "scalar", slow.get().cure()));
    }
    return vectors ? new VectorKernels() : new ScalarKernels();
  }

  /** Says something that must not be lost where an application has no logger for SLF4J. */
  private static void warn(String message) {
    if (LOG instanceof NOPLogger) {
      System.getLogger(KernelProvider.class.getName()).log(System.Logger.Level.WARNING, message);
    } else {
      LOG.warn(message);
    }
  }
}
