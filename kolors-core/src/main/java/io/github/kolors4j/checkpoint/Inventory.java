package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The tensors of a file, of which is noted what is asked for: at the end {@link #unasked} tells
 * what nobody wanted, so that a file of another model does not pass for one of this. A model's file
 * has one, and each adapter's file has one of its own.
 */
public final class Inventory implements TensorSource {
  private final TensorSource source;
  private final Set<String> asked = ConcurrentHashMap.newKeySet();

  private Inventory(TensorSource source) {
    this.source = source;
  }

  /**
   * The inventory of a source.
   *
   * @param source open tensors, closed with the inventory
   * @return a new inventory, of which nothing has been asked; the source itself if it is one, with
   *     what has been asked of it
   */
  public static Inventory of(TensorSource source) {
    return source instanceof Inventory inventory ? inventory : new Inventory(source);
  }

  /**
   * What the file has and nobody has asked for.
   *
   * @return the tensors, by name
   */
  public List<TensorInfo> unasked() {
    return source.names().stream()
        .filter(name -> !asked.contains(name))
        .sorted()
        .flatMap(name -> source.find(name).stream())
        .toList();
  }

  @Override
  public Set<String> names() {
    return source.names();
  }

  /** Finds a tensor, and notes that it was asked for. */
  @Override
  public Optional<TensorInfo> find(String name) {
    asked.add(name);
    return source.find(name);
  }

  /** A tensor's bytes; notes that it was asked for. */
  @Override
  public MemorySegment data(String name) {
    asked.add(name);
    return source.data(name);
  }

  @Override
  public Map<String, String> metadata() {
    return source.metadata();
  }

  @Override
  public Path path() {
    return source.path();
  }

  @Override
  public void requireWhole() throws InvalidFileException {
    source.requireWhole();
  }

  @Override
  public void close() {
    source.close();
  }
}
