package io.github.kolors4j.hub;

import java.io.File;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the hub is, where its files are kept, and who asks: what Python's {@code huggingface_hub}
 * reads from the environment, under the same names.
 *
 * <p>{@code HF_HOME}, {@code HF_HUB_CACHE}, {@code HF_ENDPOINT}, {@code HF_TOKEN}, {@code
 * HF_TOKEN_PATH}, {@code HF_HUB_DISABLE_IMPLICIT_TOKEN}, {@code HF_HUB_OFFLINE}, {@code
 * HF_HUB_ETAG_TIMEOUT}, {@code HF_HUB_DOWNLOAD_TIMEOUT}, {@code HF_HUB_DISABLE_SYMLINKS}; {@code
 * MODELSCOPE_DOMAIN} and {@code MODELSCOPE_API_TOKEN}; {@code HTTPS_PROXY}, {@code HTTP_PROXY},
 * {@code ALL_PROXY} and {@code NO_PROXY}.
 */
public final class HubEnvironment {
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
  private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)\\}|(\\w+))");
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Path cache;
  private final boolean symlinks;
  private final Map<RepoId.Source, Server> servers;
  private final Network network;
  private final boolean offline;

  /** A hub, and the token that it alone gets. */
  record Server(URI endpoint, Optional<AccessToken> token) {}

  /**
   * How to wait for a hub.
   *
   * @param answerTimeout to connect, and until an answer begins
   * @param stallTimeout the longest time without a byte
   * @param proxies on the way
   */
  record Network(Duration answerTimeout, Duration stallTimeout, ProxySelector proxies) {}

  private HubEnvironment(
      Path cache,
      boolean symlinks,
      Map<RepoId.Source, Server> servers,
      Network network,
      boolean offline) {
    this.cache = cache;
    this.symlinks = symlinks;
    this.servers = servers;
    this.network = network;
    this.offline = offline;
  }

  /**
   * That of this process.
   *
   * @return what its variables say
   * @throws IOException if the file with the token is there and cannot be read
   * @throws IllegalArgumentException if a variable has a value that it cannot have
   */
  public static HubEnvironment current() throws IOException {
    Map<String, String> variables = System.getenv();
    return of(variables, home(variables).orElseGet(() -> Path.of(System.getProperty("user.home"))));
  }

  /**
   * The user's folder, as Python's {@code ~}: {@code HOME} where the system has that, else what the
   * JVM found in the list of users, which a container may not have him in.
   *
   * @param variables by name, as {@code System.getenv()}
   * @return an absolute path, which need not exist; none where neither says one
   */
  public static Optional<Path> home(Map<String, String> variables) {
    String given = File.separatorChar == '/' ? variables.getOrDefault("HOME", "") : "";
    String home = given.startsWith("/") ? given : System.getProperty("user.home", "");
    // "?" is how the JVM writes that it does not know the user
    return Optional.of(Path.of(home)).filter(Path::isAbsolute);
  }

  /**
   * That of some variables.
   *
   * @param variables by name
   * @param home the user's folder
   * @return what they say
   * @throws IOException if the file with the token is there and cannot be read
   * @throws IllegalArgumentException if a variable has a value that it cannot have
   */
  public static HubEnvironment of(Map<String, String> variables, Path home) throws IOException {
    Variables env = new Variables(variables, home);
    Path own = env.path("XDG_CACHE_HOME").orElse(home.resolve(".cache")).resolve("huggingface");
    Path hfHome = env.path("HF_HOME").orElse(own);
    Path cache =
        env.path("HF_HUB_CACHE")
            .or(() -> env.path("HUGGINGFACE_HUB_CACHE"))
            .orElse(hfHome.resolve("hub"));
    Map<RepoId.Source, Server> servers =
        Map.of(
            RepoId.Source.HUGGING_FACE,
            new Server(env.address("HF_ENDPOINT", "https://huggingface.co"), env.token(hfHome)),
            RepoId.Source.MODELSCOPE,
            new Server(
                env.address("MODELSCOPE_DOMAIN", "https://www.modelscope.cn"),
                AccessToken.ifAny(env.text("MODELSCOPE_API_TOKEN"))));
    Network network =
        new Network(
            env.seconds("HF_HUB_ETAG_TIMEOUT"),
            env.seconds("HF_HUB_DOWNLOAD_TIMEOUT"),
            EnvironmentProxies.of(variables));
    return new HubEnvironment(
        cache,
        !env.isTrue("HF_HUB_DISABLE_SYMLINKS"),
        servers,
        network,
        env.isTrue("HF_HUB_OFFLINE") || env.isTrue("TRANSFORMERS_OFFLINE"));
  }

  /** Variables with their ways of being read. */
  private record Variables(Map<String, String> all, Path home) {
    Optional<String> text(String name) {
      return Optional.ofNullable(all.get(name)).filter(text -> !text.isBlank());
    }

    boolean isTrue(String name) {
      return text(name).filter(text -> TRUE.contains(text.toUpperCase(Locale.ROOT))).isPresent();
    }

    /** With {@code ~} and variables in it replaced, as Python does. */
    Optional<Path> path(String name) {
      return text(name).map(this::expanded).map(Path::of);
    }

    private String expanded(String text) {
      String path =
          text.equals("~") || text.startsWith("~/") || text.startsWith("~\\")
              ? home + text.substring(1)
              : text;
      return VARIABLE
          .matcher(path)
          .replaceAll(
              found -> {
                String name = found.group(1) != null ? found.group(1) : found.group(2);
                return Matcher.quoteReplacement(all.getOrDefault(name, found.group()));
              });
    }

    URI address(String name, String otherwise) {
      String text = text(name).orElse(otherwise).replaceAll("/+$", "");
      // MODELSCOPE_DOMAIN is a host alone
      String address = text.contains("://") ? text : "https://" + text;
      try {
        URI uri = URI.create(address);
        if (uri.getHost() != null
            && uri.getUserInfo() == null
            && Set.of("http", "https").contains(uri.getScheme())) {
          return uri;
        }
      } catch (IllegalArgumentException _) {
        // the sentence below
      }
      throw new IllegalArgumentException(
          "[hub] %s is \"%s\": use an address, as %s.".formatted(name, text, otherwise));
    }

    Duration seconds(String name) {
      Optional<String> text = text(name);
      if (text.isEmpty()) {
        return TIMEOUT;
      }
      if (!text.get().matches("\\d{1,6}") || text.get().matches("0+")) {
        throw new IllegalArgumentException(
            "[hub] %s is \"%s\": use whole seconds above 0.".formatted(name, text.get()));
      }
      return Duration.ofSeconds(Long.parseLong(text.get()));
    }

    Optional<AccessToken> token(Path hfHome) throws IOException {
      if (isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
        return Optional.empty();
      }
      Optional<String> named = text("HF_TOKEN").or(() -> text("HUGGING_FACE_HUB_TOKEN"));
      if (named.isPresent()) {
        return AccessToken.ifAny(named);
      }
      Path file = path("HF_TOKEN_PATH").orElse(hfHome.resolve("token"));
      return Files.isRegularFile(file)
          ? AccessToken.ifAny(Optional.of(Files.readString(file)))
          : Optional.empty();
    }
  }

  /**
   * Where files are kept.
   *
   * @return Python's {@code HF_HUB_CACHE}; need not exist
   */
  public HubCache cache() {
    return new HubCache(cache, symlinks);
  }

  /**
   * Whether the network is not to be used.
   *
   * @return true where {@code HF_HUB_OFFLINE} says so
   */
  public boolean offline() {
    return offline;
  }

  /**
   * Keeps files elsewhere.
   *
   * @param folder which need not exist
   * @return the changed environment
   */
  public HubEnvironment withCache(Path folder) {
    return new HubEnvironment(
        Objects.requireNonNull(folder, "folder"), symlinks, servers, network, offline);
  }

  /**
   * Asks with another token, of the source that is asked.
   *
   * @param token the token
   * @return the changed environment
   */
  public HubEnvironment withToken(AccessToken token) {
    Map<RepoId.Source, Server> known = new EnumMap<>(servers);
    known.replaceAll((_, server) -> new Server(server.endpoint(), Optional.of(token)));
    return new HubEnvironment(cache, symlinks, known, network, offline);
  }

  /**
   * Uses the network or not.
   *
   * @param offline whether not to
   * @return the changed environment
   */
  public HubEnvironment withOffline(boolean offline) {
    return new HubEnvironment(cache, symlinks, servers, network, offline);
  }

  Server server(RepoId.Source source) {
    return Objects.requireNonNull(servers.get(source));
  }

  Network network() {
    return network;
  }
}
