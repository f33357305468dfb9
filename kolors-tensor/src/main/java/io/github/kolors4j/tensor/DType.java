package io.github.kolors4j.tensor;

/**
 * The types that a weight may be stored in; how exactly is computed with it says {@link Precision}.
 */
public enum DType {
  /** IEEE 754 single precision. */
  F32(4),
  /** IEEE 754 half precision. */
  F16(2),
  /** The upper half of an F32. */
  BF16(2);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * The size of one value.
   *
   * @return bytes
   */
  public int bytes() {
    return bytes;
  }
}
