package io.github.kolors4j.tensor.random;

import java.util.Objects;

/**
 * The numbers of {@code torch.Generator("cpu")} where they are drawn in F16, as diffusers draws
 * them for a pipeline in F16: bit for bit those of PyTorch 2.13.
 *
 * <p>There, uniforms have 24 bits and only the normals are rounded, so a draw whose length 16
 * divides is that of F32, rounded. In other draws the last 16 values come from the next 16 words,
 * where F32 draws all its uniforms first. Older releases of PyTorch took uniforms of 11 bits and
 * rounded on the way; their numbers are others.
 */
public final class TorchHalfGenerator implements Generator {
  private final TorchGenerator single;

  /**
   * A generator at its beginning.
   *
   * @param seed any; as in PyTorch, only the lower 32 bits count
   */
  public TorchHalfGenerator(long seed) {
    this.single = new TorchGenerator(seed);
  }

  @Override
  public long seed() {
    return single.seed();
  }

  /**
   * Draws standard normals into part of an array: {@code torch.randn(length, dtype=torch.float16,
   * generator=this)}.
   *
   * @param target where to; all values are such as F16 has
   * @param offset the first place that is written
   * @param length how many
   * @throws IndexOutOfBoundsException if the array has no such range
   */
  @Override
  public void randn(float[] target, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, target.length);
    int block = TorchGenerator.BLOCK;
    if (length < block) {
      single.randn(target, offset, length);
    } else {
      int whole = length - length % block;
      single.randn(target, offset, whole);
      if (whole < length) {
        single.randn(target, offset + length - block, block);
      }
    }
    round(target, offset, length);
  }

  static void round(float[] target, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      target[i] = Float.float16ToFloat(Float.floatToFloat16(target[i]));
    }
  }

  @Override
  public TorchHalfGenerator withSeed(long seed) {
    return new TorchHalfGenerator(seed);
  }
}
