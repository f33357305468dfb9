package io.github.kolors4j.tensor.kernel;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.Optional;

/** What this JVM says about itself: its flags, and whether it compiles vector code. */
final class Jvm {
  /** C2's level among those of tiered compilation. */
  private static final String C2 = "4";

  private Jvm() {}

  /**
   * The value of one of HotSpot's flags.
   *
   * @return nothing where the JVM does not know the flag, is not HotSpot, or has not the module
   *     {@code jdk.management}
   */
  static Optional<String> flag(String name) {
    try {
      var options = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return options == null ? Optional.empty() : Optional.of(options.getVMOption(name).getValue());
    } catch (LinkageError | IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static boolean is(String flag, String value) {
    return flag(flag).equals(Optional.of(value));
  }

  /**
   * Why the Vector API is slow in a JVM.
   *
   * @param reason what the JVM is or does, the begin of a sentence
   * @param cure what helps, its end
   */
  record Slowness(String reason, String cure) {}

  /**
   * Why vectors are objects here and not registers, which makes them slower than loops without:
   * nothing but HotSpot's C2 is known to compile the Vector API as the kernels are written. The
   * system properties tell most of it, so that it is noticed without {@code jdk.management} too.
   *
   * @return nothing where C2 compiles
   */
  static Optional<Slowness> slowVectors() {
    String name = System.getProperty("java.vm.name", "");
    String info = System.getProperty("java.vm.info", "");
    if (!name.contains("HotSpot") && !name.contains("OpenJDK")) {
      return slow("%s is not HotSpot".formatted(name), "use a JDK with HotSpot");
    }
    if (info.contains("interpreted") || is("UseCompiler", "false")) {
      return slow("this JVM only interprets", "start java without -Xint");
    }
    if (is("UseJVMCICompiler", "true")) {
      return slow(
          "this JVM compiles with a JVMCI compiler and not with C2",
          "start java with -XX:-UseJVMCICompiler, or use a JDK that has C2");
    }
    if (info.contains("client") || !flag("TieredStopAtLevel").orElse(C2).equals(C2)) {
      return slow(
          "this JVM compiles with C1 alone and not with C2",
          "start java without -XX:TieredStopAtLevel and -XX:CompilationMode, which some development"
              + " environments add");
    }
    if (is("EnableVectorSupport", "false")) {
      return slow(
          "this JVM was told not to compile the Vector API",
          "start java without -XX:-EnableVectorSupport");
    }
    return Optional.empty();
  }

  private static Optional<Slowness> slow(String reason, String cure) {
    return Optional.of(new Slowness(reason, cure));
  }
}
