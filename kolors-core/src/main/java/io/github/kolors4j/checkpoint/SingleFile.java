package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.safetensors.json.ForeignText;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tensors of a model in a file of one's own, under the names that diffusers has for them,
 * whatever the file calls them. Which of the known layouts a file has is found by its names.
 *
 * <p>Parameters are views of the file: nothing is copied. Filters of 1×1, where a model has a
 * matrix, lose their two last extents.
 */
final class SingleFile implements TensorSource {
  private static final Logger LOG = LoggerFactory.getLogger(SingleFile.class);
  private static final int NAMED_AT_MOST = 3;

  private final TensorSource file;
  private final Map<String, TensorInfo> tensors;
  private final Map<String, String> names;

  private SingleFile(
      TensorSource file, Map<String, TensorInfo> tensors, Map<String, String> names) {
    this.file = file;
    this.tensors = tensors;
    this.names = names;
  }

  /**
   * Finds the tensors of a model.
   *
   * @param component what the model is, for messages
   * @param file the open file, closed with this source
   * @param parameters what the model needs
   * @param layouts the layouts that are known
   * @return the source
   * @throws InvalidFileException if nothing of the file is of the model; the file stays open
   */
  static SingleFile of(
      String component, TensorSource file, List<Parameter> parameters, List<FileLayout> layouts)
      throws InvalidFileException {
    SingleFile best = new SingleFile(file, Map.of(), Map.of());
    FileLayout bestFileLayout = layouts.getFirst();
    for (FileLayout layout : layouts) {
      SingleFile found = of(file, parameters, layout);
      if (found.names.size() > best.names.size()) {
        best = found;
        bestFileLayout = layout;
      }
    }
    if (best.names.isEmpty()) {
      throw new InvalidFileException(
          "[weights] %s: none of its %s tensors is one of this %s (first: %s); names as %s are known. A file of another model?"
              .formatted(
                  file.path(),
                  file.names().size(),
                  component,
                  some(file.names()),
                  some(
                      layouts.stream()
                          .flatMap(layout -> layout.find(parameters.getFirst().name()).stream())
                          .toList())));
    }
    return best.withRest(component, bestFileLayout);
  }

  private static SingleFile of(TensorSource file, List<Parameter> parameters, FileLayout layout) {
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    Map<String, String> names = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      Optional<String> name = layout.find(parameter.name());
      Optional<TensorInfo> info = name.flatMap(file::find);
      if (info.isPresent()) {
        add(tensors, names, parameter.name(), matrix(info.get(), parameter));
        name.map(QuantizedTensor::scaleName)
            .flatMap(file::find)
            .ifPresent(
                scale -> add(tensors, names, QuantizedTensor.scaleName(parameter.name()), scale));
      }
    }
    return new SingleFile(file, tensors, names);
  }

  private static void add(
      Map<String, TensorInfo> tensors, Map<String, String> names, String name, TensorInfo info) {
    names.put(name, info.name());
    tensors.put(
        name,
        new TensorInfo(
            name, info.dtype(), info.shape(), info.offset(), info.byteLength(), info.file()));
  }

  /** A tensor, as a matrix where the model has one and the file a filter of 1×1. */
  private static TensorInfo matrix(TensorInfo info, Parameter parameter) {
    List<Long> shape = info.shape();
    if (parameter.shape().size() != 2
        || shape.size() != 4
        || !shape.subList(2, 4).equals(List.of(1L, 1L))) {
      return info;
    }
    return new TensorInfo(
        info.name(),
        info.dtype(),
        shape.subList(0, 2),
        info.offset(),
        info.byteLength(),
        info.file());
  }

  /**
   * What the file has beside the model: in a file of this model alone it counts as a tensor that
   * the model does not define, beside others it is named in the log.
   */
  private SingleFile withRest(String component, FileLayout layout) {
    Set<String> used = Set.copyOf(names.values());
    List<String> others = new ArrayList<>();
    for (String name : file.names()) {
      if (used.contains(name)) {
        continue;
      }
      if (name.startsWith(layout.prefix())) {
        add(tensors, names, name, file.find(name).orElseThrow());
      } else {
        others.add(name);
      }
    }
    if (!others.isEmpty()) {
      LOG.info(
          "[weights] {}: {} tensors are not of the {} and are left alone: {}",
          file.path(),
          others.size(),
          component,
          some(others));
    }
    return this;
  }

  private static String some(Iterable<String> names) {
    List<String> some = new ArrayList<>();
    for (String name : names) {
      if (some.size() == NAMED_AT_MOST) {
        some.add("…");
        break;
      }
      some.add(ForeignText.oneLine(name));
    }
    return String.join(", ", some);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public MemorySegment data(String name) {
    String inFile = names.get(name);
    if (inFile == null) {
      throw new IllegalArgumentException("[weights] there is no tensor " + name + ".");
    }
    return file.data(inFile);
  }

  @Override
  public Map<String, String> metadata() {
    return file.metadata();
  }

  @Override
  public Path path() {
    return file.path();
  }

  @Override
  public void requireWhole() throws InvalidFileException {
    file.requireWhole();
  }

  @Override
  public void close() {
    file.close();
  }
}
