package io.github.kolors4j.checkpoint;

/** The Python library that a model's files are for: how it names them and how large they may be. */
public enum Library {
  /** diffusers: U-Net, VAE and their like. */
  DIFFUSERS("diffusion_pytorch_model", 10_000_000_000L),
  /** transformers: text and image encoders. */
  TRANSFORMERS("model", 5_000_000_000L);

  private final String baseName;
  private final long maxShardBytes;

  Library(String baseName, long maxShardBytes) {
    this.baseName = baseName;
    this.maxShardBytes = maxShardBytes;
  }

  /**
   * What the names of its files of weights begin with.
   *
   * @return {@code diffusion_pytorch_model} or {@code model}
   */
  public String baseName() {
    return baseName;
  }

  /**
   * The most that the tensors of one file take, unless asked otherwise.
   *
   * @return bytes
   */
  public long maxShardBytes() {
    return maxShardBytes;
  }
}
