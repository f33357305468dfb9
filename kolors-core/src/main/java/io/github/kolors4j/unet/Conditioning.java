package io.github.kolors4j.unet;

import io.github.kolors4j.tap.Tap;
import io.github.kolors4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * What the U-Net computes of prompt and sizes alone, once a request: made by {@link
 * UNet2DConditionModel#prepare} and read by every step. It lives as long as the workspace's scope
 * in which it was made, and belongs to the model that made it. Immutable.
 */
public final class Conditioning {
  private final Tensor augEmb;
  private final IdentityHashMap<Attention, List<AttentionContext>> contexts;
  private final PerturbedAttention pag;
  private final Tap.Pass prepared;

  /**
   * @param augEmb pooled text and sizes {@code [n, timeEmbedDim]}, added to the timestep's
   *     embedding
   * @param contexts what each cross-attention looks at, by the attention's identity
   * @param prepared what a tap is to see of it in each step
   */
  Conditioning(
      Tensor augEmb,
      IdentityHashMap<Attention, List<AttentionContext>> contexts,
      Tap.Pass prepared) {
    this(augEmb, contexts, PerturbedAttention.NONE, prepared);
  }

  private Conditioning(
      Tensor augEmb,
      IdentityHashMap<Attention, List<AttentionContext>> contexts,
      PerturbedAttention pag,
      Tap.Pass prepared) {
    this.augEmb = augEmb;
    this.contexts = contexts;
    this.pag = pag;
    this.prepared = prepared;
  }

  /** This conditioning, with some self-attentions replaced by the identity. */
  Conditioning perturbing(PerturbedAttention choice) {
    return new Conditioning(augEmb, contexts, choice, prepared);
  }

  /**
   * This conditioning, with something to look at beside the text, as an image prompt is.
   *
   * @param more for each cross-attention that is to look at it; of as many samples, and of any
   *     number of tokens
   */
  Conditioning adding(IdentityHashMap<Attention, AttentionContext> more) {
    IdentityHashMap<Attention, List<AttentionContext>> both = new IdentityHashMap<>(contexts);
    more.forEach(
        (attention, context) ->
            both.compute(
                attention,
                (_, before) -> {
                  List<AttentionContext> list = new ArrayList<>(before);
                  list.add(context);
                  return List.copyOf(list);
                }));
    return new Conditioning(augEmb, both, pag, prepared);
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

  /** What a cross-attention looks at, the text first. */
  List<AttentionContext> contexts(Attention attention) {
    List<AttentionContext> prepared = contexts.get(attention);
    if (prepared == null) {
      throw new IllegalArgumentException(
          "[unet] the conditioning has nothing for %s: it belongs to another model, or to the same one under other adapters. Let this model prepare it."
              .formatted(attention.name()));
    }
    return prepared;
  }

  /** How many of the last samples are perturbed in this self-attention. */
  int perturbedRows(Attention attention) {
    return pag.perturbs(attention) ? pag.rows() : 0;
  }

  /**
   * What a tap is to see of it in each step.
   *
   * @return what was shown when it was prepared
   */
  public Tap.Pass prepared() {
    return prepared;
  }
}
