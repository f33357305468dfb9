package io.github.kolors4j.tensor.random;

import java.util.Objects;

/**
 * The numbers of {@code torch.Generator("cpu").manual_seed(seed)}: the same seed gives the same
 * noise, bit for bit, and so the same picture.
 *
 * <p>As there, draws of 16 values and more, and shorter ones, go different ways: {@code randn(8)}
 * does not start {@code randn(16)}, nor do two draws of 20 make one of 40. So draw what diffusers
 * draws, in its order.
 *
 * <p>Not thread-safe: the draws of one generator are a sequence.
 */
public final class TorchGenerator implements Generator {
  /** Uniforms become normals in blocks: eight radii and eight angles to 8 cosines and 8 sines. */
  static final int BLOCK = 16;

  private static final float TWO_PI = (float) (2 * Math.PI);

  private final long seed;
  private final MersenneTwister words;

  /** The sine of the last pair in a short draw, where the cosine alone was asked for. */
  private double kept;

  private boolean hasKept;

  /**
   * A generator at its beginning.
   *
   * @param seed any; as in PyTorch, only the lower 32 bits count
   */
  public TorchGenerator(long seed) {
    this.seed = seed;
    this.words = new MersenneTwister((int) seed);
  }

  @Override
  public long seed() {
    return seed;
  }

  /**
   * Draws standard normals into part of an array: {@code torch.randn(length, generator=this)} in
   * F32.
   *
   * @param target where to
   * @param offset the first place that is written
   * @param length how many
   * @throws IndexOutOfBoundsException if the array has no such range
   */
  @Override
  public void randn(float[] target, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length < BLOCK) {
      for (int i = 0; i < length; i++) {
        target[offset + i] = (float) nextDoubleNormal();
      }
    } else {
      fillBlocks(target, offset, length);
    }
  }

  @Override
  public TorchGenerator withSeed(long seed) {
    return new TorchGenerator(seed);
  }

  /** All uniforms first, then block by block in place; a last part block is drawn anew. */
  private void fillBlocks(float[] target, int offset, int length) {
    int end = offset + length;
    fillUniform(target, offset, length);
    for (int i = offset; i <= end - BLOCK; i += BLOCK) {
      uniformToNormal(target, i);
    }
    if (length % BLOCK != 0) {
      fillUniform(target, end - BLOCK, BLOCK);
      uniformToNormal(target, end - BLOCK);
    }
  }

  /** Uniforms of 24 bits in [0, 1). */
  private void fillUniform(float[] target, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      target[i] = (words.nextInt() & 0xffffff) * 0x1p-24f;
    }
  }

  /** Box and Muller's method in F32 on one block. */
  private static void uniformToNormal(float[] block, int offset) {
    for (int i = offset; i < offset + BLOCK / 2; i++) {
      float radius = (float) Math.sqrt(-2 * Cephes.log(1 - block[i]));
      float theta = TWO_PI * block[i + BLOCK / 2];
      block[i] = radius * Cephes.cos(theta);
      block[i + BLOCK / 2] = radius * Cephes.sin(theta);
    }
  }

  /**
   * Box and Muller's method in double, a cosine and a sine in turn. The sine is kept over calls,
   * and also over long draws in between, which neither use nor drop it.
   */
  private double nextDoubleNormal() {
    if (hasKept) {
      hasKept = false;
      return kept;
    }
    double u1 = nextDoubleUniform();
    double u2 = nextDoubleUniform();
    double radius = Math.sqrt(-2 * StrictMath.log1p(-u2));
    double theta = 2 * Math.PI * u1;
    kept = radius * StrictMath.sin(theta);
    hasKept = true;
    return radius * StrictMath.cos(theta);
  }

  /** A uniform of 53 bits in [0, 1) from two words, the high one first. */
  private double nextDoubleUniform() {
    long high = words.nextInt();
    long low = words.nextInt() & 0xffffffffL;
    return ((high << 32 | low) & ((1L << 53) - 1)) * 0x1p-53;
  }
}
