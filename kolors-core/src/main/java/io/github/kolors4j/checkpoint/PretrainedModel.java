package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model of a checkpoint: a configuration, and layers over weights in mapped files. A {@link
 * ModelClass} opens one; what it computes is up to the class.
 *
 * <p>A model is immutable and may be used from several threads, each with a workspace of its own;
 * closing it unmaps its weights.
 *
 * @param <C> its configuration
 */
public abstract class PretrainedModel<C> implements AutoCloseable {
  private final C config;
  private final ModelFiles files;

  /**
   * A model whose layers are about to be made.
   *
   * @param config its configuration
   * @param files what it is made from
   */
  protected PretrainedModel(C config, ModelFiles files) {
    this.config = config;
    this.files = files;
  }

  /**
   * The configuration.
   *
   * @return the configuration
   */
  public final C config() {
    return config;
  }

  ModelFiles files() {
    return files;
  }

  /**
   * Saves the model as diffusers loads it: {@code config.json} as it was read, and all tensors,
   * also those that are not computed with, in the types that they are stored in; or in 8 bits,
   * where the options say so, which diffusers does not load.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @param options names and sizes of the files
   * @throws IOException if the folder has files, the disk is too small, or a file cannot be
   *     written; nothing is left then
   * @throws IllegalStateException if the model is closed, or was not loaded from a folder with its
   *     {@code config.json}
   */
  public final void savePretrained(Path directory, SaveOptions options) throws IOException {
    boolean int8 = options.int8().contains(files.component());
    files.savePretrained(directory, options, int8 ? quantization() : Optional.empty());
  }

  /**
   * How weights of this class are written in 8 bits.
   *
   * @return empty for a class that is not
   */
  protected Optional<Quantization> quantization() {
    return Optional.empty();
  }

  /**
   * Saves the model under the plain names, in files of the usual size.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @throws IOException if the folder has files, the disk is too small, or a file cannot be
   *     written; nothing is left then
   * @throws IllegalStateException if the model is closed, or was not loaded from a folder with its
   *     {@code config.json}
   */
  public final void savePretrained(Path directory) throws IOException {
    savePretrained(directory, SaveOptions.DEFAULT);
  }

  /**
   * The size of all tensors as they are stored, also of those that are not computed with.
   *
   * @return bytes
   */
  public final long byteLength() {
    return files.byteLength();
  }

  /**
   * Whether the files of the weights are still as long as they were when the model was opened. This
   * asks the system once a file, some microseconds in all; a file that was replaced by renaming
   * another over it, or deleted, is whole.
   *
   * @throws InvalidFileException if one was cut short; with its name
   */
  public final void requireWholeFiles() throws InvalidFileException {
    files.weights().files().requireWhole();
  }

  /**
   * Reads all weights as they are stored, and refuses NaN and infinity. This takes as long as
   * reading the files does.
   *
   * @throws InvalidFileException if a value is not finite; with the file, the tensor and the index
   */
  public final void requireFiniteWeights() throws InvalidFileException {
    new FiniteWeights(files.weights().files()).require();
  }

  /**
   * What tells this model from others without reading all of it: a SHA-256 over the configuration,
   * over names, types and shapes of all tensors, and over the first bytes of some of them, spread
   * evenly. How many files they are in does not matter. Two models of one identity are the same as
   * far as anything but the rest of their bytes can tell.
   *
   * @return 64 hexadecimal digits
   * @throws IllegalStateException if the model is closed
   */
  public final String identity() {
    return files.identity();
  }

  /**
   * Where the weights are.
   *
   * @return the file, or the index of several
   */
  protected final Path path() {
    return files.weights().files().path();
  }

  /**
   * Unmaps the weights; the model cannot be used afterwards, nor those that were made from it by
   * adapters. Closing one of those does nothing.
   */
  @Override
  public final void close() {
    files.close();
  }
}
