package io.github.kolors4j.hub;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The hash that a content is named by: its SHA-256, or git's SHA-1 of a blob. */
final class ContentHash {
  private static final int SHA256_DIGITS = 64;

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
    digest.update(bytes);
  }

  /** At the end, and once. */
  boolean matches() {
    return HexFormat.of().formatHex(digest.digest()).equals(expected);
  }
}
