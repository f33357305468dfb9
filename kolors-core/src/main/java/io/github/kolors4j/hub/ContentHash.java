package io.github.kolors4j.hub;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The hash that a content is named by: its SHA-256, or git's SHA-1 of a blob. */
final class ContentHash {
  private static final int SHA256_DIGITS = 64;

  /**
   * The JVM counts calls, whatever their length, before it takes the processor's instructions for
   * the hash. By 64 KB at a time that was after more than a gigabyte, and until then each block of
   * 64 bytes was a call of its own: 2.4 s for 2 GB instead of 1.4 (docs/hub.md).
   */
  private static final int PIECE_BYTES = 4 << 10;

  private final String expected;
  private final MessageDigest digest;

  private ContentHash(String expected, MessageDigest digest) {
    this.expected = expected;
    this.digest = digest;
  }

  static ContentHash of(String etag, long size) {
    if (etag.length() == SHA256_DIGITS) {
      return new ContentHash(etag, digest("SHA-256"));
    }
    MessageDigest git = digest("SHA-1");
    git.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
    return new ContentHash(etag, git);
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has " + algorithm, e);
    }
  }

  void update(ByteBuffer bytes) {
    if (!bytes.hasArray()) {
      digest.update(bytes); // by as much at a time
      return;
    }
    while (bytes.hasRemaining()) {
      int count = Math.min(bytes.remaining(), PIECE_BYTES);
      digest.update(bytes.array(), bytes.arrayOffset() + bytes.position(), count);
      bytes.position(bytes.position() + count);
    }
  }

  /** At the end, and once. */
  boolean matches() {
    return HexFormat.of().formatHex(digest.digest()).equals(expected);
  }
}
