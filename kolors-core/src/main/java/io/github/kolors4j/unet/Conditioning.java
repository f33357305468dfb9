package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;
import java.util.IdentityHashMap;
import java.util.Objects;

/**
 * What the U-Net computes of prompt and sizes alone, once a request: made by {@link
 * UNet2DConditionModel#prepare} and read by every step. It lives as long as the workspace's scope
 * in which it was made, and belongs to the model that made it.
 */
public final class Conditioning {
  private final Tensor augEmb;
  private final IdentityHashMap<Attention, KeyValue> crossAttention;
  private final PerturbedAttention pag;
  private final int perturbedRows;

  /**
   * @param augEmb pooled text and sizes {@code [n, timeEmbedDim]}, added to the timestep's
   *     embedding
   * @param crossAttention the text as each cross-attention sees it, by the attention's identity
   */
  Conditioning(Tensor augEmb, IdentityHashMap<Attention, KeyValue> crossAttention) {
    this(augEmb, crossAttention, PerturbedAttention.NONE, 0);
  }

  private Conditioning(
      Tensor augEmb,
      IdentityHashMap<Attention, KeyValue> crossAttention,
      PerturbedAttention pag,
      int perturbedRows) {
    this.augEmb = augEmb;
    this.crossAttention = crossAttention;
    this.pag = pag;
    this.perturbedRows = perturbedRows;
  }

  /** The same, with the last {@code rows} samples perturbed. */
  Conditioning perturbing(PerturbedAttention pag, int rows) {
    return new Conditioning(augEmb, crossAttention, pag, rows);
  }

  /**
   * How many samples it is for.
   *
   * @return n
   */
  public int batchSize() {
    return augEmb.dim(0);
  }

  Tensor augEmb() {
    return augEmb;
  }

  KeyValue keyValue(Attention attention) {
    return Objects.requireNonNull(crossAttention.get(attention));
  }

  /** How many of the last samples are perturbed in this self-attention. */
  int perturbedRows(Attention attention) {
    return pag.perturbs(attention) ? perturbedRows : 0;
  }
}
