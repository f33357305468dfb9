package io.github.kolors4j.server;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.service.ImageService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * An HTTP server that makes pictures: OpenAI's Images API, what clients use of AUTOMATIC1111's,
 * jobs with a queue, and a page for people.
 *
 * {@snippet :
 * try (KolorsPipeline pipeline = KolorsPipeline.open(Path.of("Kolors-diffusers"));
 *     KolorsServer server = KolorsServer.builder(pipeline).port(8080).start()) {
 *   System.out.println(server.uri());
 *   Thread.currentThread().join();
 * }
 * }
 *
 * <p>It listens on this machine alone unless told otherwise, and elsewhere for those alone who know
 * a key. It speaks HTTP/1.1; TLS is for a proxy before it.
 */
public final class KolorsServer implements AutoCloseable {
  /** How long a client that asks again has for it. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  /** How long a job is kept after its end, and how much room pictures have together. */
  private static final Duration KEEP = Duration.ofMinutes(15);

  private static final long ROOM = 256L << 20;

  /** Threads that wait for bytes; requests have virtual ones. */
  private static final int THREADS = 32;

  private static final int MOST_CONNECTIONS = 1024;
  private static final Duration IDLE = Duration.ofSeconds(60);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** For answers that are on their way when everything has ended. */
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(5);

  private final Server server;
  private final ServerConnector connector;
  private final ImageService service;
  private final WarmUp warmUp = new WarmUp();
  private final Submissions submissions;
  private final Metrics metrics;
  private final List<Route> routes;
  private final SharedJobs shared;
  private final JobStore store;
  private final String host;
  private final Duration patience;

  private KolorsServer(Builder builder) throws IOException {
    KolorsPipeline pipeline = builder.pipeline;
    host = builder.host;
    patience = builder.patience;
    service =
        ImageService.builder(pipeline)
            .concurrency(builder.concurrency)
            .queueCapacity(builder.queueCapacity)
            .build();
    metrics = new Metrics(service);
    submissions = new Submissions(service, metrics, warmUp, builder.logPrompts);
    Limits limits = builder.limits;
    String model = builder.modelName.orElseGet(() -> pipeline.identity().name());
    ImageCalls calls = new ImageCalls(pipeline, limits);
    shared = new SharedJobs(submissions, builder.grace);
    store = new JobStore(KEEP, ROOM);
    routes = new ArrayList<>();
    routes.addAll(
        new OpenAiImages(calls, submissions, shared, store, limits, pipeline.tokenizer()).routes());
    routes.addAll(new JobRoutes(calls, submissions, store, limits).routes());
    routes.addAll(new WebUiRoutes(model, pipeline, calls, submissions, limits).routes());
    routes.addAll(
        new ServerRoutes(model, pipeline, submissions, metrics, limits, calls.multiple()).routes());

    QueuedThreadPool threads = new QueuedThreadPool(THREADS);
    threads.setName("kolors-http");
    threads.setDaemon(true);
    threads.setVirtualThreadsExecutor(
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("kolors-http-", 0).factory()));
    server = new Server(threads);
    server.setStopTimeout(LAST_ANSWERS.toMillis());
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    // The name of a model has a slash in it, which clients encode.
    http.setUriCompliance(
        UriCompliance.DEFAULT.with(
            "slash in a name", UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR));
    connector = new ServerConnector(server, new HttpConnectionFactory(http));
    connector.setHost(host);
    connector.setPort(builder.port);
    connector.setIdleTimeout(IDLE.toMillis());
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(MOST_CONNECTIONS, connector));
    Guard guard = new Guard(builder.key, builder.hostNames());
    GracefulHandler graceful = new GracefulHandler();
    graceful.setHandler(new Router(routes, guard, metrics, new AccessLog()));
    server.setHandler(graceful);
    try {
      server.start();
    } catch (IOException e) {
      closeWithin(Duration.ZERO);
      throw new IOException(
          "[server] cannot listen on %s: %s. Is another server there? Choose another port."
              .formatted(authority(builder.port), e.getMessage()),
          e);
    } catch (Exception e) {
      closeWithin(Duration.ZERO);
      throw new IOException("[server] cannot start: " + e.getMessage(), e);
    }
    if (builder.warmUp) {
      warmUp.begin(pipeline);
    }
  }

  /**
   * Begins a server.
   *
   * @param pipeline that makes the pictures; who opened it closes it, after the server
   * @return what starts it
   */
  public static Builder builder(KolorsPipeline pipeline) {
    return new Builder(pipeline);
  }

  /** How a server is to be. */
  public static final class Builder {
    private final KolorsPipeline pipeline;
    private String host = "127.0.0.1";
    private int port = 8080;
    private int concurrency = 1;
    private int queueCapacity = 16;
    private Optional<String> key = Optional.empty();
    private Optional<String> modelName = Optional.empty();
    private final Set<String> allowedHosts = new HashSet<>();
    private Limits limits = Limits.DEFAULT;
    private boolean logPrompts;
    private boolean warmUp;
    private Duration grace = GRACE;
    private Duration patience = PATIENCE;

    private Builder(KolorsPipeline pipeline) {
      this.pipeline = Objects.requireNonNull(pipeline, "pipeline");
    }

    /**
     * Where it listens.
     *
     * @param host the name or address of one of this machine's interfaces, or {@code 0.0.0.0} for
     *     all; by default {@code 127.0.0.1}, which nobody else reaches. Any other needs a {@link
     *     #key}
     * @return this
     */
    public Builder host(String host) {
      this.host = Objects.requireNonNull(host, "host");
      return this;
    }

    /**
     * Its port.
     *
     * @param port 1 to 65535, or 0 for one that is free; by default 8080
     * @return this
     * @throws IllegalArgumentException if it is outside that
     */
    public Builder port(int port) {
      if (port < 0 || port > 65_535) {
        throw new IllegalArgumentException(
            "[server] port %s: use 1 to 65535, or 0 for one that is free.".formatted(port));
      }
      this.port = port;
      return this;
    }

    /**
     * What clients must know, as {@code Authorization: Bearer KEY}.
     *
     * @param key the key, without white space
     * @return this
     * @throws IllegalArgumentException if it is empty or has white space
     */
    public Builder key(String key) {
      if (key.isEmpty() || key.chars().anyMatch(c -> c <= ' ' || c > '~')) {
        throw new IllegalArgumentException(
            "[server] the key is empty, or has white space or letters beyond ASCII: use letters and"
                + " digits.");
      }
      this.key = Optional.of(key);
      return this;
    }

    /**
     * One more name that the server may be called by, for a proxy before it. On {@code 127.0.0.1}
     * it knows {@code localhost} and its addresses alone, so that no page of elsewhere can pretend
     * to be here; on other interfaces it answers to any name until one is allowed.
     *
     * @param name of a host, without a port
     * @return this
     */
    public Builder allowHost(String name) {
      allowedHosts.add(name.toLowerCase(Locale.ROOT));
      return this;
    }

    /**
     * How many requests are made at once.
     *
     * @param concurrency 1 or more; by default 1, as one request uses all cores
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder concurrency(int concurrency) {
      if (concurrency < 1) {
        throw new IllegalArgumentException(
            "[server] concurrency %s: use 1 or more.".formatted(concurrency));
      }
      this.concurrency = concurrency;
      return this;
    }

    /**
     * How many requests may wait; the next one is answered with 429.
     *
     * @param queueCapacity 0 or more; by default 16
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder queueCapacity(int queueCapacity) {
      if (queueCapacity < 0) {
        throw new IllegalArgumentException(
            "[server] a queue of %s: use 0 or more.".formatted(queueCapacity));
      }
      this.queueCapacity = queueCapacity;
      return this;
    }

    /**
     * What the model is called.
     *
     * @param name as clients see it; by default the name of the checkpoint
     * @return this
     */
    public Builder modelName(String name) {
      modelName = Optional.of(name);
      return this;
    }

    /**
     * The largest body that is read.
     *
     * @param bytes 1 to 2³⁰; by default 32 MB
     * @return this
     * @throws IllegalArgumentException if it is outside that
     */
    public Builder maxBodyBytes(long bytes) {
      if (bytes < 1 || bytes > 1L << 30) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "[server] bodies of %,d bytes: use 1 to 2^30.", bytes));
      }
      limits = limits.withMaxBodyBytes(bytes);
      return this;
    }

    /**
     * The largest picture that is made.
     *
     * @param pixels width times height, 1 or more; by default 2048 times 2048
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder maxPixels(long pixels) {
      if (pixels < 1) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "[server] pictures of %,d pixels: use 1 or more.", pixels));
      }
      limits = limits.withMaxPixels(pixels);
      return this;
    }

    /**
     * The most pictures of one request.
     *
     * @param images 1 or more; by default 10, as at OpenAI
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public Builder maxImages(int images) {
      if (images < 1) {
        throw new IllegalArgumentException(
            "[server] at most %s images: use 1 or more.".formatted(images));
      }
      limits = limits.withMaxImages(images);
      return this;
    }

    /**
     * Writes prompts into the log, which otherwise has nothing of what is asked for.
     *
     * @return this
     */
    public Builder logPrompts() {
      logPrompts = true;
      return this;
    }

    /**
     * Makes a small picture when the server has started, on a thread of its own: the first request
     * then finds the weights read and the code compiled. {@code /ready} waits for it; a request
     * does not, and ends it.
     *
     * @return this
     */
    public Builder warmUp() {
      warmUp = true;
      return this;
    }

    /**
     * How long a job goes on whose client has left and may ask for it again: OpenAI's libraries do
     * so when their time is over. The job of any other client ends with it.
     *
     * @param grace zero or more; by default ten seconds
     * @return this
     */
    public Builder retryGrace(Duration grace) {
      this.grace = Objects.requireNonNull(grace, "grace");
      return this;
    }

    /**
     * How long {@link KolorsServer#close} waits for what is being made.
     *
     * @param patience zero or more; by default half a minute
     * @return this
     */
    public Builder patience(Duration patience) {
      this.patience = Objects.requireNonNull(patience, "patience");
      return this;
    }

    /**
     * Starts the server.
     *
     * @return the server, which answers
     * @throws IllegalArgumentException if it could be reached from elsewhere and has no key
     * @throws IOException if it cannot listen there
     */
    public KolorsServer start() throws IOException {
      requireKey(host, key);
      return new KolorsServer(this);
    }

    /** The names that are answered to; none for any. */
    private Set<String> hostNames() {
      Set<String> names = new HashSet<>(allowedHosts);
      if (isLoopback(host) || !names.isEmpty()) {
        names.addAll(Set.of("localhost", "127.0.0.1", "[::1]"));
        names.add(bracketed(host).toLowerCase(Locale.ROOT));
      }
      return names;
    }
  }

  /**
   * Refuses a server that others can reach and that has no key.
   *
   * @param host where it is to listen
   * @param key what clients must know
   * @throws IllegalArgumentException if there is no key and should be one, or no such host
   */
  public static void requireKey(String host, Optional<String> key) {
    if (!isLoopback(host) && key.isEmpty()) {
      throw new IllegalArgumentException(
          ("[server] %s can be reached from other machines: a key is needed then. Give one"
                  + " (--key-file FILE), or listen on 127.0.0.1.")
              .formatted(host));
    }
  }

  private static boolean isLoopback(String host) {
    try {
      for (InetAddress address : InetAddress.getAllByName(host)) {
        if (!address.isLoopbackAddress()) {
          return false;
        }
      }
      return true;
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          "[server] no host %s: use 127.0.0.1, or an address of this machine.".formatted(host), e);
    }
  }

  private static String bracketed(String host) {
    return host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
  }

  private String authority(int port) {
    return bracketed(host) + ":" + port;
  }

  /**
   * Where the server is.
   *
   * @return its address, as {@code http://127.0.0.1:8080/}, with the port that it has
   */
  public URI uri() {
    String reachable = host.equals("0.0.0.0") ? "127.0.0.1" : host;
    return URI.create("http://" + bracketed(reachable) + ":" + connector.getLocalPort() + "/");
  }

  /** The routes; for tests. */
  List<Route> routes() {
    return List.copyOf(routes);
  }

  /** The jobs that clients share; for tests. */
  SharedJobs shared() {
    return shared;
  }

  /** The queue; for tests. */
  ImageService service() {
    return service;
  }

  /**
   * Stops: takes no more requests, cancels those that wait, lets those that are being made end
   * within the patience, cancels them then, and sends the last answers. The pipeline stays open.
   */
  @Override
  public void close() {
    closeWithin(patience);
  }

  /**
   * Stops as {@link #close} does, with another patience.
   *
   * @param limit how long what is being made may go on; zero cancels it at once
   * @return whether everything has ended
   */
  public boolean closeWithin(Duration limit) {
    submissions.stop();
    warmUp.close();
    boolean ended = service.closeWithin(limit);
    stop();
    return ended;
  }

  private void stop() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("[server] cannot stop: " + e.getMessage(), e);
    } finally {
      store.clear();
      metrics.close();
    }
  }
}
