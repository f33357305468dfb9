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

  /** What this machine has, found out once. */
  private static final class Found {
    static final CpuFeatures FEATURES = CpuFeatures.ofThisCpu();
  }

  private static final class Avx512 {
    static final Bf16Kernel KERNEL = new Avx512Kernel();
  }

  private static final class Amx {
    static final boolean ALLOWED = Found.FEATURES.hasAmxBf16() && Libc.requestTiles();
    static final @Nullable Bf16Kernel KERNEL = ALLOWED ? new AmxKernel() : null;
  }

  @Override
  public Bf16Kernel kernel(Precision precision) {
    checkThatCodeMayRun();
    if (!Found.FEATURES.hasAvx512Bf16()) {
      throw new UnsupportedOperationException(
          "this CPU has no instructions for BF16 (AVX512-BF16 since Zen 4 and Cooper Lake, AMX since"
              + " Sapphire Rapids).");
    }
    if (Amx.KERNEL != null) {
      return Amx.KERNEL;
    }
    if (precision == Precision.F32_FAST) {
      throw new UnsupportedOperationException(
          Found.FEATURES.hasAmxBf16()
              ? "the system does not let this process use AMX (Linux does since 5.16)."
              : "this CPU has AVX512-BF16 without AMX, which is slower for it than F32.");
    }
    return Avx512.KERNEL;
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
