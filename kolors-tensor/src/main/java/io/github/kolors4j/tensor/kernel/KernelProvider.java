package io.github.kolors4j.tensor.kernel;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  private static Kernels choose() {
    Kernels kernels;
    if (RequestedWidth.bits().equals(Optional.of(0))) {
      kernels = new ScalarKernels();
    } else if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
      LOG.warn(
          "[kernels] the JVM runs without the Vector API, so the scalar kernels are used, many"
              + " times slower: start java with --add-modules {}",
          MODULE);
      kernels = new ScalarKernels();
    } else {
      kernels = new VectorKernels();
    }
    boolean fma = hasFma();
    if (!fma) {
      LOG.warn(
          "[kernels] this CPU, or this JVM's flags, have no fused multiply-add: results are"
              + " correct but take about a thousand times longer. Use a CPU with FMA (x86 since"
              + " 2013, every 64-bit Arm) and no -XX:-UseFMA.");
    }
    LOG.info("kernels: {}{}", kernels.description(), fma ? ", FMA" : ", no FMA");
    return kernels;
  }

  private static boolean hasFma() {
    try {
      var options = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return options == null || Boolean.parseBoolean(options.getVMOption("UseFMA").getValue());
    } catch (LinkageError | IllegalArgumentException _) {
      return true; // another JVM, or one without the management module: nothing is known
    }
  }
}
