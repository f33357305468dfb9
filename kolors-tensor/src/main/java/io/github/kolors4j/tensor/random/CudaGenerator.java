package io.github.kolors4j.tensor.random;

import java.util.Objects;

/**
 * The numbers of {@code torch.Generator("cuda").manual_seed(seed)}, without a GPU.
 *
 * <p>Each thread of the GPU has a Philox sequence of its own, and takes four normals from it at a
 * time, which go to places as far apart as there are threads. There are as many threads as values,
 * but no more than the GPU runs at once, so only draws beyond that depend on the GPU: 65,536
 * values, the latents of 1024 × 1024 pixels, are the same on all that have 32 multiprocessors or
 * more.
 *
 * <p>A GPU takes sine and cosine from hardware, good to about 21 bits. Here they are exact, so last
 * digits differ as they do between GPUs.
 */
public final class CudaGenerator implements Generator {
  /** Blocks of 256 threads that an A100 runs at once: 8 on each of 108 multiprocessors. */
  public static final int DEFAULT_MAX_BLOCKS = 864;

  private static final int THREADS_PER_BLOCK = 256;

  /** Normals that a thread makes at a time. */
  private static final int UNROLL = 4;

  private static final float TWO_POW_32_INV = 0x1p-32f;
  private static final float TWO_POW_32_INV_2PI = 0x1p-32f * 6.2831855f;

  private final long seed;
  private final boolean half;
  private final int maxBlocks;

  /** How many groups of four words each thread's sequence has given. */
  private long groups;

  /**
   * A generator for F32 at its beginning.
   *
   * @param seed any; all 64 bits count
   */
  public CudaGenerator(long seed) {
    this(seed, false, DEFAULT_MAX_BLOCKS);
  }

  /**
   * A generator at its beginning.
   *
   * @param seed any; all 64 bits count
   * @param half whether values are rounded to F16, as a pipeline in F16 draws them
   * @param maxBlocks how many blocks of 256 threads the GPU runs at once: its multiprocessors times
   *     its threads for each of them by 256
   * @throws IllegalArgumentException if there are fewer blocks than one
   */
  public CudaGenerator(long seed, boolean half, int maxBlocks) {
    if (maxBlocks < 1) {
      throw new IllegalArgumentException("[random] " + maxBlocks + " blocks: use 1 or more.");
    }
    this.seed = seed;
    this.half = half;
    this.maxBlocks = maxBlocks;
  }

  @Override
  public long seed() {
    return seed;
  }

  @Override
  public void randn(float[] target, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length == 0) {
      return;
    }
    int blocks = Math.min(maxBlocks, (length - 1) / THREADS_PER_BLOCK + 1);
    long threads = (long) blocks * THREADS_PER_BLOCK;
    long rounds = (length - 1) / (threads * UNROLL) + 1;
    float[] normals = new float[UNROLL];
    for (long round = 0; round < rounds; round++) {
      for (long thread = 0; thread < threads; thread++) {
        long place = round * threads * UNROLL + thread;
        if (place >= length) {
          break;
        }
        draw(groups + round, thread, normals);
        for (int i = 0; i < UNROLL && place < length; i++) {
          target[offset + (int) place] = normals[i];
          place += threads;
        }
      }
    }
    groups += rounds;
    if (half) {
      TorchHalfGenerator.round(target, offset, length);
    }
  }

  /** Four normals of a thread's sequence. */
  private void draw(long group, long thread, float[] normals) {
    int[] words = {(int) group, (int) (group >>> 32), (int) thread, (int) (thread >>> 32)};
    Philox.encrypt(words, (int) seed, (int) (seed >>> 32));
    for (int i = 0; i < UNROLL; i += 2) {
      float u = Math.fma(unsigned(words[i]), TWO_POW_32_INV, TWO_POW_32_INV / 2);
      float v = Math.fma(unsigned(words[i + 1]), TWO_POW_32_INV_2PI, TWO_POW_32_INV_2PI / 2);
      float radius = (float) Math.sqrt(-2 * (float) StrictMath.log(u));
      normals[i] = radius * (float) StrictMath.sin(v);
      normals[i + 1] = radius * (float) StrictMath.cos(v);
    }
  }

  private static float unsigned(int word) {
    return (float) Integer.toUnsignedLong(word);
  }

  @Override
  public CudaGenerator withSeed(long seed) {
    return new CudaGenerator(seed, half, maxBlocks);
  }
}
