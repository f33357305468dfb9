package io.github.kolors4j.tensor;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How exactly products are computed: those of linear layers, of convolutions and of attention. What
 * is no product (norms, softmax, activations, schedulers) is F32 in each of them.
 *
 * <p>All but {@link #F32} need a CPU with instructions for BF16 and a {@link Bf16Provider} for it,
 * as the module {@code kolors-x86} is one; where either is missing, a line in the log says so and
 * everything is computed in F32.
 */
public enum Precision {
  /** F32 by fused multiply-adds: the same bytes on every machine. The default. */
  F32,

  /**
   * Operands split into up to three pieces of BF16, whose products are summed in F32: as close to
   * diffusers as {@link #F32}. The same bytes for any number of threads on one kind of CPU.
   */
  F32_FAST,

  /**
   * Operands rounded to BF16, sums in F32: some 1 % of the U-Net's result is lost. The same bytes
   * for any number of threads on one kind of CPU.
   */
  BF16;

  /**
   * The precision of a name.
   *
   * @param name {@code f32}, {@code f32-fast} or {@code bf16}
   * @return the precision
   * @throws IllegalArgumentException if there is none of that name
   */
  public static Precision of(String name) {
    return Arrays.stream(values())
        .filter(each -> each.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "[precision] no precision \"%s\": use one of %s."
                        .formatted(
                            name,
                            Arrays.stream(values())
                                .map(Precision::toString)
                                .collect(Collectors.joining(", ")))));
  }

  /** Its name: {@code f32}, {@code f32-fast} or {@code bf16}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
