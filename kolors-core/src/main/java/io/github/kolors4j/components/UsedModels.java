package io.github.kolors4j.components;

import io.github.kolors4j.checkpoint.PretrainedModel;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Models of one kind that requests have used: the first that names one opens it, and it stays open
 * until all are closed. Weights are mapped, so that one which is not used any more costs no memory.
 *
 * @param <K> what a request names it by
 * @param <M> the model
 */
final class UsedModels<K, M extends PretrainedModel<?>> implements AutoCloseable {
  private final Opener<K, M> opener;
  private final Map<K, M> models = new HashMap<>();

  /** How one is opened. */
  @FunctionalInterface
  interface Opener<K, M> {
    M open(K key) throws IOException;
  }

  UsedModels(Opener<K, M> opener) {
    this.opener = opener;
  }

  /**
   * The model of a name.
   *
   * @throws IllegalArgumentException if it cannot be opened
   */
  synchronized M get(K key) {
    M open = models.get(key);
    if (open == null) {
      try {
        open = opener.open(key);
      } catch (IOException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
      models.put(key, open);
    }
    return open;
  }

  /** Whether the files of those that are open are still as long as they were. */
  void requireWholeFiles() throws InvalidFileException {
    List<M> open;
    synchronized (this) {
      open = new ArrayList<>(models.values());
    }
    for (M each : open) {
      each.requireWholeFiles();
    }
  }

  @Override
  public synchronized void close() {
    models.values().forEach(PretrainedModel::close);
    models.clear();
  }
}
