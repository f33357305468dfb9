package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.tensor.Shape;
import io.github.kolors4j.tensor.Weight;
import java.util.Optional;

/**
 * Changes the weights that a model's layers get, by name: a low-rank update (LoRA) extends the
 * weight that the checkpoint stores, a quantised file has one of its own in its place. Layers and
 * operations see a {@link Weight} and do not know.
 *
 * <p>A list of adapters works as a chain: the first that replaces a weight does so, then each
 * extends what those before it made. So a low-rank update of a quantised weight needs nothing more.
 *
 * <p>An adapter with a file of its own keeps an {@link Inventory} of it, and tells by {@link
 * Inventory#unasked} what of it no model wanted.
 */
@FunctionalInterface
public interface WeightAdapter {

  /**
   * A weight in the place of the one that the model's files store, which is not looked at then: it
   * may be missing there, or be of a type that only this adapter knows.
   *
   * @param name the weight's name in the checkpoint, as {@code
   *     mid_block.attentions.0.proj_in.weight}
   * @param shape the shape that the layer reads: that of the file in PyTorch's order, but {@code
   *     [out, in]} for the filter of a 1×1 convolution that is computed as a matrix
   * @return a weight of that shape; empty to leave the stored one, as it is by default
   * @throws InvalidFileException if the adapter's file has something for the name that does not fit
   */
  default Optional<Weight> replace(String name, Shape shape) throws InvalidFileException {
    return Optional.empty();
  }

  /**
   * A weight made from another one.
   *
   * @param name the weight's name in the checkpoint
   * @param base the weight as it is stored, or as the adapters before this one made it
   * @return a weight of the same shape; {@code base} itself where this adapter changes nothing
   * @throws InvalidFileException if the adapter's file has something for the name that does not fit
   */
  Weight extend(String name, Weight base) throws InvalidFileException;

  /**
   * What tells what this adapter does from what others do: part of the identity of a model under
   * it, by which remembered prompts are found and pictures say how they were made.
   *
   * @return a hash of its file with its settings, for example; by default that there is one
   */
  default String identity() {
    return "adapter";
  }
}
