package io.github.kolors4j.tensor.kernel;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a JVM says about itself, and so whether it makes vector instructions of the Vector API.
 *
 * @param name its name, the property {@code java.vm.name}
 * @param info its mode, the property {@code java.vm.info}
 * @param flags values of HotSpot's flags; nothing where a flag is not known
 */
record Jvm(String name, String info, Function<String, Optional<String>> flags) {
  /** C2's level among those of tiered compilation. */
  private static final String C2 = "4";

  /** The JVM that this code runs in. */
  static final Jvm CURRENT =
      new Jvm(
          System.getProperty("java.vm.name", ""),
          System.getProperty("java.vm.info", ""),
          Jvm::currentFlag);

  private static Optional<String> currentFlag(String name) {
    try {
      var options = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return options == null ? Optional.empty() : Optional.of(options.getVMOption(name).getValue());
    } catch (LinkageError | IllegalArgumentException _) {
      return Optional.empty(); // another JVM, or one without the management module
    }
  }

  /**
   * The value of one of HotSpot's flags.
   *
   * @return nothing where the JVM does not know the flag, is not HotSpot, or has not the module
   *     {@code jdk.management}
   */
  Optional<String> flag(String flag) {
    return flags.apply(flag);
  }

  private boolean is(String flag, String value) {
    return flag(flag).equals(Optional.of(value));
  }

  /**
   * Why the Vector API is slow.
   *
   * @param reason what the JVM is or does: the begin of a sentence
   * @param cure what helps: its end
   * @param vectors whether the vector kernels are still faster than the scalar ones
   */
  record Slowness(String reason, String cure, boolean vectors) {}

  /**
   * Why this JVM is slow with the Vector API: nothing but HotSpot's C2 is known to make of it what
   * the kernels are written for. The properties tell most, so that it is noticed without the flags,
   * too.
   *
   * <p>Where vectors are objects, the scalar kernels are faster: with C1 alone, a U-Net step of the
   * mini checkpoint at 64×64 takes 6 to 11 s and makes 5 GB of garbage, and 1.2 s without garbage
   * with the scalar kernels (C2: 0.2 s). Graal 25 as a JVMCI compiler gives a product 0.12 of the
   * peak, a convolution 0.29 and attention 0.02, 5 and 28 times the scalar kernels' rates; C2 gives
   * 0.5 to 0.9.
   *
   * @return nothing where C2 compiles
   */
  Optional<Slowness> slowVectors() {
    if (!name.contains("HotSpot") && !name.contains("OpenJDK")) {
      return slow(name + " is not HotSpot", "use a JDK with HotSpot, as OpenJDK's are");
    }
    if (info.contains("interpreted") || is("UseCompiler", "false")) {
      return slow("this JVM only interprets", "start java without -Xint");
    }
    if (info.contains("client") || !flag("TieredStopAtLevel").orElse(C2).equals(C2)) {
      return slow(
          "this JVM compiles with C1 alone and not with C2",
          "start java without -XX:TieredStopAtLevel and -XX:CompilationMode, which development"
              + " environments may add");
    }
    if (is("EnableVectorSupport", "false")) {
      return slow(
          "this JVM was told not to compile the Vector API",
          "start java without -XX:-EnableVectorSupport");
    }
    if (is("UseJVMCICompiler", "true")) {
      return Optional.of(
          new Slowness(
              "this JVM compiles with a JVMCI compiler, as Graal, and not with C2",
              "start java with -XX:-UseJVMCICompiler, or use a JDK with C2",
              true));
    }
    return Optional.empty();
  }

  private static Optional<Slowness> slow(String reason, String cure) {
    return Optional.of(new Slowness(reason, cure, false));
  }
}
