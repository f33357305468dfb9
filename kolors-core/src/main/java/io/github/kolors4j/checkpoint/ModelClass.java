package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * How models of a class are opened, in one way for all of them: a new one brings its configuration
 * and its layers, and gets the rest.
 *
 * @param component its folder in a checkpoint, as {@code unet}, for messages
 * @param library whose names its files have
 * @param configReader reads its configuration
 * @param constructor makes its layers
 * @param <C> its configuration
 * @param <M> its models
 */
public record ModelClass<C, M extends PretrainedModel<C>>(
    String component,
    Library library,
    ConfigReader<C> configReader,
    Constructor<C, M> constructor) {

  static final String CONFIG = "config.json";

  /**
   * Reads a configuration.
   *
   * @param <C> the configuration
   */
  @FunctionalInterface
  public interface ConfigReader<C> {
    /**
     * Reads a configuration.
     *
     * @param json the file
     * @return the configuration
     * @throws InvalidFileException if a value is wrong, or is one that is not supported
     */
    C read(JsonConfig json) throws InvalidFileException;
  }

  /**
   * Makes a model, whose layers ask for all of its weights; whether they were all there is checked
   * afterwards.
   *
   * @param <C> the configuration
   * @param <M> the model
   */
  @FunctionalInterface
  public interface Constructor<C, M> {
    /**
     * Makes a model.
     *
     * @param config its configuration
     * @param files what it is made from
     * @return the model
     */
    M create(C config, ModelFiles files);
  }

  /**
   * Opens a model. Its weights are mapped, not read.
   *
   * @param directory the component's folder, with {@code config.json} and the weights
   * @param variant the weights' variant; where empty, {@code fp16} if it is there, else the plain
   *     one
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong
   */
  public M load(Path directory, Optional<String> variant) throws IOException {
    if (Files.isRegularFile(directory)) {
      throw new InvalidFileException(
          "[%s] %s is a file: name the folder that has %s and the weights."
              .formatted(component, directory, CONFIG));
    }
    JsonConfig json = JsonConfig.read(directory.resolve(CONFIG));
    C config = configReader.read(json);
    TensorSource source = ShardedSafetensors.open(directory, library.baseName(), variant);
    try {
      return create(
          config, ModelFiles.of(library, Optional.of(json), Weights.of(component, source)));
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  /**
   * What a file of one's own says of a model's configuration.
   *
   * @see #loadFile
   */
  @FunctionalInterface
  public interface ConfigFit {
    /**
     * Changes what the shapes of the file's tensors contradict.
     *
     * @param json the configuration of the checkpoint
     * @param file the file
     * @return the configuration of the model in the file
     * @throws InvalidFileException if a value is wrong
     */
    JsonConfig fit(JsonConfig json, TensorSource file) throws InvalidFileException;
  }

  /**
   * Opens a model whose weights are in a file elsewhere, under the names of some program.
   *
   * @param directory the component's folder in a checkpoint, of which {@code config.json} is read
   * @param file the weights: safetensors
   * @param fit what the file changes in the configuration
   * @param layouts the layouts that are known
   * @return the model, to be closed
   * @throws IOException if a file, a config value or a tensor is missing or wrong, or nothing of
   *     the file is of the model
   */
  public M loadFile(
      Path directory, Path file, ConfigFit fit, Function<List<Parameter>, List<FileLayout>> layouts)
      throws IOException {
    JsonConfig json = JsonConfig.read(directory.resolve(CONFIG));
    TensorSource open = SafetensorsFile.open(file);
    try {
      json = fit.fit(json, open);
      C config = configReader.read(json);
      List<Parameter> parameters = parameters(config);
      TensorSource source = SingleFile.of(component, open, parameters, layouts.apply(parameters));
      return create(
          config, ModelFiles.of(library, Optional.of(json), Weights.of(component, source)));
    } catch (Throwable e) {
      open.close();
      throw e;
    }
  }

  /**
   * A model over tensors that are open.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public M of(C config, TensorSource source) throws InvalidFileException {
    return of(config, source, List.of());
  }

  /**
   * A model over tensors that are open, as adapters change them.
   *
   * @param config its configuration
   * @param source its tensors, closed with the model; where an adapter reads the same ones, their
   *     {@link Inventory}
   * @param adapters what replaces or extends the stored weights, in this order
   * @return the model
   * @throws InvalidFileException if a tensor is missing or wrong; the source stays open
   */
  public M of(C config, TensorSource source, List<WeightAdapter> adapters)
      throws InvalidFileException {
    return create(
        config, ModelFiles.of(library, Optional.empty(), Weights.of(component, source, adapters)));
  }

  /**
   * The same model with adapters over its weights, which costs no memory but theirs.
   *
   * @param model the model, whose files stay its own: it must outlive the new one, and closing the
   *     new one does nothing
   * @param adapters what replaces or extends its weights, in this order, after those that it has
   * @return the model with the adapters
   * @throws InvalidFileException if something of an adapter does not fit
   */
  public M adapted(M model, List<WeightAdapter> adapters) throws InvalidFileException {
    return create(model.config(), model.files().adapted(adapters));
  }

  private M create(C config, ModelFiles files) throws InvalidFileException {
    M model = constructor.create(config, files);
    files.weights().requireComplete();
    return model;
  }

  /**
   * The tensors of a model's files: names and shapes, in PyTorch's order.
   *
   * @param config its configuration
   * @return all that the class defines, also what this library does not read
   */
  public List<Parameter> parameters(C config) {
    Weights weights = Weights.definitions(component);
    M _ = constructor.create(config, ModelFiles.of(library, Optional.empty(), weights));
    return weights.defined();
  }
}
