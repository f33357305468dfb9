package io.github.kolors4j.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;

/** Compares files with their hashes, each content once. */
final class CacheCheck {
  private static final int BUFFER_BYTES = 1 << 20;

  private final LongConsumer bytesRead;
  private final BooleanSupplier cancelled;
  private final List<CacheFault> faults = new ArrayList<>();
  private final Map<Path, Boolean> known = new HashMap<>();
  private long bytes;

  CacheCheck(LongConsumer bytesRead, BooleanSupplier cancelled) {
    this.bytesRead = bytesRead;
    this.cancelled = cancelled;
  }

  void file(Path file, Optional<String> etag) throws IOException {
    if (!Files.isRegularFile(file)) {
      faults.add(new CacheFault(file, file, CacheFault.Kind.MISSING));
    } else if (etag.isEmpty()) {
      faults.add(new CacheFault(file, file, CacheFault.Kind.HASH_UNKNOWN));
    } else {
      Path content = file.toRealPath();
      Boolean right = known.get(content);
      if (right == null) {
        right = isRight(content, etag.get());
        known.put(content, right);
      }
      if (!right) {
        faults.add(new CacheFault(file, content, CacheFault.Kind.DAMAGED));
      }
    }
  }

  private boolean isRight(Path file, String etag) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ContentHash hash = ContentHash.of(etag, channel.size());
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
      while (channel.read(buffer) >= 0) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException("[hub] verifying was cancelled");
        }
        bytes += buffer.flip().remaining();
        hash.update(buffer);
        buffer.clear();
        bytesRead.accept(bytes);
      }
      return hash.matches();
    }
  }

  List<CacheFault> faults() {
    return List.copyOf(faults);
  }
}
