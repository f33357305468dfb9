package io.github.kolors4j.batch;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What rows have named, and others may name again: what was not asked for the longest time is
 * forgotten. For one thread.
 *
 * @param <K> how it is named
 * @param <V> what was read
 */
final class RecentlyUsed<K, V> {
  /** More are more memory, fewer are read again and again. */
  private static final int MOST = 8;

  private final Reader<K, V> reader;

  private final Map<K, V> known =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
          return size() > MOST;
        }
      };

  /** How one is read. */
  @FunctionalInterface
  interface Reader<K, V> {
    V read(K key) throws IOException;
  }

  RecentlyUsed(Reader<K, V> reader) {
    this.reader = reader;
  }

  /** What has this name, read unless it is known. */
  V get(K key) throws IOException {
    V value = known.get(key);
    if (value == null) {
      value = reader.read(key);
      known.put(key, value);
    }
    return value;
  }
}
