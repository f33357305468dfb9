package io.github.kolors4j.batch;

import java.util.LinkedHashMap;
import java.util.Map;

/** What rows have named, and others may name again. */
final class RecentlyUsed {
  /** More are more memory, fewer are read again and again. */
  private static final int MOST = 8;

  private RecentlyUsed() {}

  /** A map that forgets what was not asked for the longest time. */
  static <K, V> Map<K, V> map() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > MOST;
      }
    };
  }
}
