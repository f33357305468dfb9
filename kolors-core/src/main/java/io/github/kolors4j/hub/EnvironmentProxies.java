package io.github.kolors4j.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The proxies that {@code HTTPS_PROXY} and its sisters name, in either case. Java itself knows the
 * properties {@code https.proxyHost} and so on, which hold where no variable is set.
 */
final class EnvironmentProxies extends ProxySelector {
  private static final List<Proxy> DIRECT = List.of(Proxy.NO_PROXY);

  private final Map<String, Proxy> byScheme;
  private final List<String> direct;

  private EnvironmentProxies(Map<String, Proxy> byScheme, List<String> direct) {
    this.byScheme = byScheme;
    this.direct = direct;
  }

  static ProxySelector of(Map<String, String> variables) {
    Optional<Proxy> all = proxy(variables, "ALL_PROXY");
    Optional<Proxy> http = proxy(variables, "HTTP_PROXY").or(() -> all);
    Optional<Proxy> https = proxy(variables, "HTTPS_PROXY").or(() -> all);
    if (http.isEmpty() && https.isEmpty()) {
      return ProxySelector.getDefault();
    }
    List<String> direct =
        variable(variables, "NO_PROXY").stream()
            .flatMap(text -> Arrays.stream(text.toLowerCase(Locale.ROOT).split("[,\\s]+")))
            .filter(host -> !host.isEmpty())
            .toList();
    return new EnvironmentProxies(
        Map.of("http", http.orElse(Proxy.NO_PROXY), "https", https.orElse(Proxy.NO_PROXY)), direct);
  }

  private static Optional<String> variable(Map<String, String> variables, String name) {
    return Optional.ofNullable(variables.get(name.toLowerCase(Locale.ROOT)))
        .or(() -> Optional.ofNullable(variables.get(name)))
        .filter(text -> !text.isBlank());
  }

  private static Optional<Proxy> proxy(Map<String, String> variables, String name) {
    return variable(variables, name).map(text -> proxy(name, text.strip()));
  }

  private static Proxy proxy(String name, String text) {
    URI uri;
    try {
      uri = URI.create(text.contains("://") ? text : "http://" + text);
    } catch (IllegalArgumentException _) {
      throw refused(name);
    }
    if (uri.getHost() == null || uri.getUserInfo() != null || !"http".equals(uri.getScheme())) {
      throw refused(name);
    }
    int port = uri.getPort() < 0 ? 80 : uri.getPort();
    return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(uri.getHost(), port));
  }

  /** Without its value, which may have a password in it. */
  private static IllegalArgumentException refused(String name) {
    return new IllegalArgumentException(
        "[hub] "
            + name
            + " is not the address of an HTTP proxy without a password: use http://host:port.");
  }

  @Override
  public List<Proxy> select(URI uri) {
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    return direct.stream().anyMatch(each -> matches(host, each))
        ? DIRECT
        : List.of(byScheme.getOrDefault(uri.getScheme(), Proxy.NO_PROXY));
  }

  private static boolean matches(String host, String pattern) {
    String suffix = pattern.startsWith("*") ? pattern.substring(1) : pattern;
    String name = suffix.startsWith(".") ? suffix.substring(1) : suffix;
    return pattern.equals("*") || host.equals(name) || host.endsWith("." + name);
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException failure) {
    // the request fails with it
  }
}
