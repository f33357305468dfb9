package io.github.kolors4j.x86;

import io.github.kolors4j.tensor.Bf16Kernel;
import io.github.kolors4j.tensor.Bf16Provider;
import io.github.kolors4j.tensor.Precision;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds what the CPU has for BF16: AMX where there is AMX, else AVX512-BF16, which is too slow for
 * the pieces of {@link Precision#F32_FAST}. Linux on x86-64 only, and with native access for this
 * module, or for the class path ({@code --enable-native-access=ALL-UNNAMED}).
 */
public final class X86Provider implements Bf16Provider {
  private static final Set<String> X86_64 = Set.of("amd64", "x86_64");

  /** Made for {@code ServiceLoader}. */
  public X86Provider() {}

  /** Made once and for all; code stays in memory until the process ends. */
  private static @Nullable CpuFeatures features;

  private static @Nullable Bf16Kernel kernel;

  @Override
  public Bf16Kernel kernel(Precision precision) {
    checkThatCodeMayRun();
    return kernelOfThisCpu(precision);
  }

  private static synchronized Bf16Kernel kernelOfThisCpu(Precision precision) {
    if (features == null) {
      features = CpuFeatures.ofThisCpu();
    }
    if (!features.hasAvx512Bf16()) {
      throw new UnsupportedOperationException(
          "this CPU has no instructions for BF16 (AVX512-BF16 since Zen 4 and Cooper Lake, AMX since"
              + " Sapphire Rapids).");
    }
    if (kernel == null) {
      kernel = make(features);
    }
    if (precision == Precision.F32_FAST && kernel instanceof Avx512Kernel) {
      throw new UnsupportedOperationException(
          kernel.slowness().isEmpty()
              ? "this CPU has AVX512-BF16 without AMX, which is slower for it than F32."
              : kernel.slowness());
    }
    return kernel;
  }

  /** The fastest kernel that a CPU with AVX512-BF16 and its system have. */
  static Bf16Kernel make(CpuFeatures features) {
    if (!features.hasTiles()) {
      return new Avx512Kernel("");
    }
    try {
      if (!features.savesTiles()) {
        throw new UnsupportedOperationException("the system does not keep its registers.");
      }
      Libc.requestTiles();
      return new AmxKernel();
    } catch (UnsupportedOperationException e) {
      return new Avx512Kernel(
          "this CPU has AMX, but %s Linux 5.16 or newer lets a process use it that asks before any"
                  .formatted(e.getMessage())
              + " of its threads has an alternate signal stack of less than some 12 kB.");
    }
  }

  private static void checkThatCodeMayRun() {
    String system = System.getProperty("os.name");
    String cpu = System.getProperty("os.arch");
    if (!system.equals("Linux") || !X86_64.contains(cpu)) {
      throw new UnsupportedOperationException(
          "kolors-x86 is for Linux on x86-64, and this is %s on %s.".formatted(system, cpu));
    }
    Module module = X86Provider.class.getModule();
    if (!module.isNativeAccessEnabled()) {
      throw new UnsupportedOperationException(
          "kolors-x86 makes machine code, for which the JVM needs the permission: start java with"
              + " --enable-native-access="
              + (module.isNamed() ? module.getName() : "ALL-UNNAMED"));
    }
  }
}
