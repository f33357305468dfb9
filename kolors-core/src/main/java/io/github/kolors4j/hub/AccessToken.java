package io.github.kolors4j.hub;

import java.util.Optional;

/**
 * A secret that opens private and gated repositories. It has no text, so that it cannot come into a
 * log; the client sends it to the hub's own host and to no other.
 */
public final class AccessToken {
  private final String secret;

  private AccessToken(String secret) {
    this.secret = secret;
  }

  /**
   * A token.
   *
   * @param secret as the hub gave it, {@code hf_…}; spaces and line ends around it do not count
   * @return the token
   * @throws IllegalArgumentException if it is empty, or has characters that no header can carry
   */
  public static AccessToken of(String secret) {
    String stripped = secret.strip();
    if (stripped.isEmpty() || !stripped.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new IllegalArgumentException(
          "[hub] the access token is empty or has characters that no token has: copy it again.");
    }
    return new AccessToken(stripped);
  }

  static Optional<AccessToken> ifAny(Optional<String> secret) {
    return secret.filter(text -> !text.isBlank()).map(AccessToken::of);
  }

  String authorization() {
    return "Bearer " + secret;
  }

  /** The same for every token. */
  @Override
  public String toString() {
    return "(access token)";
  }
}
