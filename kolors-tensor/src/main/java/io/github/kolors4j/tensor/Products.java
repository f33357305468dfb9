package io.github.kolors4j.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLogger;

/**
 * Who computes products: the Vector API in F32, or a {@link Bf16Kernel} of another precision.
 * Operations find it in the {@link Workspace} of their input. Immutable, and to be shared.
 */
public final class Products {
  /** Products in F32, the same bytes on every machine. */
  public static final Products F32 = new Products(Precision.F32, null);

  private static final Logger LOG = LoggerFactory.getLogger(Products.class);

  private final Precision precision;
  private final @Nullable Bf16Kernel kernel;

  private Products(Precision precision, @Nullable Bf16Kernel kernel) {
    this.precision = precision;
    this.kernel = kernel;
  }

  /**
   * Products of a precision on this machine; where it cannot have them, a line in the log says why
   * and they are computed in F32. A line also says where the CPU could do them faster.
   *
   * @param precision the precision
   * @return the products, of that precision or of F32
   */
  public static Products of(Precision precision) {
    if (precision == Precision.F32) {
      return F32;
    }
    try {
      Products products = require(precision);
      LOG.info("products: {}", products);
      String slowness = products.kernel().orElseThrow().slowness();
      if (!slowness.isEmpty()) {
        warn("[precision] %s is slower than it could be: %s".formatted(products, slowness));
      }
      return products;
    } catch (UnsupportedOperationException e) {
      warn(
          "[precision] %s is not to be had, so f32 is used: %s"
              .formatted(precision, e.getMessage()));
      return F32;
    }
  }

  /**
   * Products of a precision on this machine, and of no other; without a line in the log.
   *
   * @param precision the precision
   * @return the products, of that precision
   * @throws UnsupportedOperationException where the machine cannot have them, with the reason
   */
  public static Products require(Precision precision) {
    if (precision == Precision.F32) {
      return F32;
    }
    List<String> reasons = new ArrayList<>();
    for (Bf16Provider provider :
        ServiceLoader.load(Bf16Provider.class, Bf16Provider.class.getClassLoader())) {
      try {
        return of(precision, provider.kernel(precision));
      } catch (UnsupportedOperationException e) {
        reasons.add(e.getMessage());
      }
    }
    throw new UnsupportedOperationException(
        reasons.isEmpty()
            ? "there is no module for this CPU's instructions; kolors-x86 is the one for x86."
            : String.join(" ", reasons));
  }

  /**
   * Products of a precision by a certain kernel.
   *
   * @param precision any but F32
   * @param kernel what multiplies
   * @return the products
   * @throws IllegalArgumentException if the precision is F32
   */
  public static Products of(Precision precision, Bf16Kernel kernel) {
    if (precision == Precision.F32) {
      throw new IllegalArgumentException(
          "[precision] f32 by %s: F32 needs no kernel of BF16.".formatted(kernel.description()));
    }
    return new Products(precision, kernel);
  }

  /**
   * The precision.
   *
   * @return what is computed with, which may be F32 where another was asked for
   */
  public Precision precision() {
    return precision;
  }

  /**
   * What multiplies.
   *
   * @return nothing where the precision is F32
   */
  public Optional<Bf16Kernel> kernel() {
    return Optional.ofNullable(kernel);
  }

  /**
   * How many pieces values are split into at most; products of pieces i and j are left out where
   * {@code i + j} is as much or more.
   *
   * @return 1 for BF16, {@link Bf16Kernel#PIECES} else
   */
  public int pieces() {
    return precision == Precision.BF16 ? 1 : Bf16Kernel.PIECES;
  }

  /** Says something that must not be lost where an application has no logger for SLF4J. */
  private static void warn(String message) {
    if (LOG instanceof NOPLogger) {
      System.getLogger(Products.class.getName()).log(System.Logger.Level.WARNING, message);
    } else {
      LOG.warn(message);
    }
  }

  /** {@code bf16 by AVX512-BF16}. */
  @Override
  public String toString() {
    return kernel == null ? precision.toString() : precision + " by " + kernel.description();
  }
}
