package io.github.kolors4j.server;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Who may ask. */
final class Guard {
  private static final int UNAUTHORIZED = 401;
  private static final int FORBIDDEN = 403;

  /**
   * SHA-256 of the key: of the same length for every key, so that none can be told by its length.
   */
  private final Optional<byte[]> key;

  private final Set<String> hosts;

  /**
   * A guard.
   *
   * @param key what callers must know; empty for nothing
   * @param hosts the names that the server may be called by; none for any
   */
  Guard(Optional<String> key, Set<String> hosts) {
    this.key = key.map(Guard::sha256);
    this.hosts = Set.copyOf(hosts);
  }

  /**
   * Refuses a page of elsewhere whose name has been made to point to this machine, so that the
   * browser takes our answers for the page's own.
   */
  void checkHost(Exchange exchange) {
    String host = exchange.host().toLowerCase(Locale.ROOT);
    if (!hosts.isEmpty() && !hosts.contains(host)) {
      throw ApiException.of(
          FORBIDDEN,
          "host_not_allowed",
          "[server] it is not known as this host: use 127.0.0.1 or localhost, or allow the name.");
    }
  }

  /** Refuses what a page of elsewhere sends through its reader's browser. */
  void checkOrigin(Exchange exchange) {
    boolean reads = exchange.method().equals("GET") || exchange.method().equals("HEAD");
    Optional<String> origin = exchange.header("Origin");
    if (reads || origin.isEmpty()) {
      return;
    }
    String own = exchange.header("Host").orElse("");
    if (!own.equalsIgnoreCase(authority(origin.get()))) {
      throw ApiException.of(
          FORBIDDEN, "origin_not_allowed", "[server] pages of other servers may not ask.");
    }
  }

  private static String authority(String origin) {
    try {
      return String.valueOf(URI.create(origin).getRawAuthority());
    } catch (IllegalArgumentException _) {
      return "null";
    }
  }

  /** Refuses who does not know the key. */
  void checkKey(Exchange exchange) {
    if (key.isEmpty()) {
      return;
    }
    String given = exchange.header("Authorization").map(Guard::secret).orElse("");
    if (!MessageDigest.isEqual(sha256(given), key.get())) {
      throw ApiException.of(
          UNAUTHORIZED,
          "invalid_api_key",
          "[server] a key is needed: send Authorization: Bearer KEY.",
          "WWW-Authenticate",
          "Bearer");
    }
  }

  /**
   * The key of {@code Bearer KEY}, or of {@code Basic} with any name, as AUTOMATIC1111's clients.
   */
  private static String secret(String authorization) {
    String[] parts = authorization.strip().split("\\s+", 2);
    if (parts.length < 2) {
      return "";
    }
    return switch (parts[0].toLowerCase(Locale.ROOT)) {
      case "bearer" -> parts[1];
      case "basic" -> password(parts[1]);
      default -> "";
    };
  }

  private static String password(String credentials) {
    try {
      String text = new String(Base64.getDecoder().decode(credentials), StandardCharsets.UTF_8);
      return text.substring(text.indexOf(':') + 1);
    } catch (IllegalArgumentException _) {
      return "";
    }
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK has it
    }
  }
}
