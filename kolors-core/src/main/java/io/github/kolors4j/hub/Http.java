package io.github.kolors4j.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests to one hub: redirects, retries, waits and the token.
 *
 * <p>Redirects are followed here and not by the JDK, so that one place decides who sees the token:
 * the hub's own scheme, host and port, and nobody else.
 */
final class Http implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Http.class);
  private static final int MOST_REDIRECTS = 8;
  private static final int MOST_TEXT_BYTES = 64 << 20;
  private static final long TICK_MILLIS = 50;
  private static final Pattern RATE_LIMIT = Pattern.compile(";\\s*t\\s*=\\s*(\\d{1,9})");

  private final HubEnvironment.Server server;
  private final HubEnvironment.Network network;
  private final Backoff backoff;
  private final BooleanSupplier cancelled;

  /**
   * Requests run here and not by {@code sendAsync}, whose answers come by way of the common pool:
   * on two cores that is one thread, and a caller who is on it would wait for himself.
   */
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("kolors-http-", 0).factory());

  private final HttpClient client;

  Http(
      HubEnvironment.Server server,
      HubEnvironment.Network network,
      Backoff backoff,
      BooleanSupplier cancelled) {
    this.server = server;
    this.network = network;
    this.backoff = backoff;
    this.cancelled = cancelled;
    this.client =
        HttpClient.newBuilder()
            // over plain http the JDK offers an upgrade to HTTP/2, which some proxies refuse
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(network.answerTimeout())
            .proxy(network.proxies())
            .executor(threads)
            .build();
  }

  /** How an answer's bytes are taken, and when the last ones came. */
  interface Body<T> extends HttpResponse.BodyHandler<T> {
    /** In the unit of {@link System#nanoTime}. */
    long lastProgress();
  }

  /** An answer after redirects, and where it came from. */
  record Answer<T>(int status, HttpHeaders headers, URI uri, T body) {}

  /** A failure that the next attempt may not have; {@code wait} is what the server asks for. */
  static final class Transient extends IOException {
    private static final long serialVersionUID = 1;

    final HubException.Reason reason;
    final transient Optional<Duration> wait;

    Transient(HubException.Reason reason, String what, Optional<Duration> wait) {
      super(what);
      this.reason = reason;
      this.wait = wait;
    }
  }

  /** Something that is tried again while it fails for a moment. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException, InterruptedException;
  }

  /** Counts failures in a row and waits between them. */
  final class Patience {
    private int failures;

    void progress() {
      failures = 0;
    }

    /** Waits, or gives up. */
    void failed(URI uri, IOException failure) throws IOException, InterruptedException {
      failures++;
      Optional<Duration> told =
          failure instanceof Transient passing ? passing.wait : Optional.empty();
      HubException.Reason reason =
          failure instanceof Transient passing ? passing.reason : HubException.Reason.UNREACHABLE;
      boolean tooLong = told.isPresent() && told.get().compareTo(backoff.longestTold()) > 0;
      if (tooLong || failures >= backoff.attempts()) {
        throw new HubException(
            reason,
            "[hub] %s: %s%s. What is there is kept: pull again later."
                .formatted(
                    shown(uri),
                    reason(failure),
                    tooLong
                        ? ", and asks to wait " + told.get().toSeconds() + " s"
                        : ", " + failures + " times in a row"),
            failure);
      }
      Duration pause = told.orElse(backoff.pause(failures));
      LOG.info("{}: {}; trying again in {} s", shown(uri), reason(failure), pause.toSeconds());
      sleep(pause);
    }
  }

  Patience patience() {
    return new Patience();
  }

  /** What the JDK says about a connection, which may be nothing. */
  private static String reason(IOException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
        return "no such host, or no network";
      }
    }
    String message = failure.getMessage();
    return message != null && !message.isBlank()
        ? message
        : switch (failure) {
          case ConnectException _ -> "no connection";
          default -> failure.getClass().getSimpleName();
        };
  }

  private void sleep(Duration pause) throws InterruptedException {
    long end = System.nanoTime() + pause.toNanos();
    while (System.nanoTime() < end) {
      checkCancelled();
      Thread.sleep(Math.clamp((end - System.nanoTime()) / 1_000_000, 1, TICK_MILLIS));
    }
  }

  void checkCancelled() {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException(
          "[hub] the pull was cancelled. What is there is kept, and the next pull goes on");
    }
  }

  /** A small text, with retries. */
  Answer<byte[]> text(URI uri) throws IOException, InterruptedException {
    Patience patience = patience();
    while (true) {
      try {
        Answer<byte[]> answer = send(uri, Optional.empty(), new TextBody(MOST_TEXT_BYTES));
        requireNotPassing(answer);
        return answer;
      } catch (HubException e) {
        throw e;
      } catch (IOException e) {
        patience.failed(uri, e);
      }
    }
  }

  /** Throws where the status says that it is for a moment. */
  static void requireNotPassing(Answer<?> answer) throws Transient {
    int status = answer.status();
    if (status == 429) {
      throw new Transient(
          HubException.Reason.RATE_LIMITED, "too many requests (429)", wait(answer.headers()));
    }
    if (status == 408 || status >= 500) {
      throw new Transient(
          HubException.Reason.UNREACHABLE, "the server answers " + status, wait(answer.headers()));
    }
  }

  /** What {@code RateLimit: "api";r=0;t=55} or else {@code Retry-After: 55} says. */
  static Optional<Duration> wait(HttpHeaders headers) {
    Matcher limit = RATE_LIMIT.matcher(headers.firstValue("RateLimit").orElse(""));
    if (limit.find()) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(limit.group(1))));
    }
    return headers
        .firstValue("Retry-After")
        .map(String::strip)
        .filter(text -> text.matches("\\d{1,9}"))
        .map(text -> Duration.ofSeconds(Long.parseLong(text)));
  }

  /** One attempt, over redirects. */
  <T> Answer<T> send(URI uri, Optional<String> range, Body<T> body)
      throws IOException, InterruptedException {
    URI at = uri;
    for (int i = 0; i <= MOST_REDIRECTS; i++) {
      HttpResponse<T> response = once(at, range, body);
      int status = response.statusCode();
      Optional<String> location = response.headers().firstValue("Location");
      if (status / 100 != 3 || location.isEmpty()) {
        return new Answer<>(status, response.headers(), at, response.body());
      }
      at = redirected(at, location.get());
    }
    throw new HubException(
        HubException.Reason.PROTOCOL,
        "[hub] %s redirects more than %s times.".formatted(shown(uri), MOST_REDIRECTS));
  }

  private static URI redirected(URI from, String location) throws HubException {
    try {
      URI to = from.resolve(location);
      boolean weaker = from.getScheme().equals("https") && !"https".equals(to.getScheme());
      if (to.getHost() != null && !weaker && to.getScheme().startsWith("http")) {
        return to;
      }
    } catch (IllegalArgumentException _) {
      // the sentence below
    }
    throw new HubException(
        HubException.Reason.PROTOCOL,
        "[hub] %s redirects to what is no address, or from https to http: refused."
            .formatted(shown(from)));
  }

  private <T> HttpResponse<T> once(URI uri, Optional<String> range, Body<T> body)
      throws IOException, InterruptedException {
    checkCancelled();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .header("User-Agent", "kolors4j; java/" + Runtime.version().feature())
            .header("Accept-Encoding", "identity");
    range.ifPresent(bytes -> request.header("Range", bytes));
    if (isOwn(uri)) {
      server.token().ifPresent(token -> request.header("Authorization", token.authorization()));
    }
    LOG.debug("GET {} {}", shown(uri), range.orElse(""));
    return await(uri, threads.submit(() -> client.send(request.build(), body)), body);
  }

  /** The hub itself, where the token may go. */
  boolean isOwn(URI uri) {
    URI own = server.endpoint();
    return own.getScheme().equals(uri.getScheme())
        && own.getHost().equalsIgnoreCase(uri.getHost())
        && own.getPort() == uri.getPort();
  }

  /** Waits for all of the body, but not longer than bytes come. */
  private <T> HttpResponse<T> await(URI uri, Future<HttpResponse<T>> response, Body<T> body)
      throws IOException, InterruptedException {
    final long begin = System.nanoTime();
    try {
      while (true) {
        try {
          return response.get(TICK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
          checkCancelled();
          // nanoTime may be negative, so that only differences count
          long last = body.lastProgress() - begin > 0 ? body.lastProgress() : begin;
          if (System.nanoTime() - last > network.stallTimeout().toNanos()) {
            throw new Transient(
                HubException.Reason.UNREACHABLE,
                "no byte for %s s".formatted(network.stallTimeout().toSeconds()),
                Optional.empty());
          }
        }
      }
    } catch (ExecutionException e) {
      throw unwrapped(uri, e.getCause() == null ? e : e.getCause());
    } finally {
      response.cancel(true); // ends the exchange where it has not ended
    }
  }

  private static IOException unwrapped(URI uri, Throwable cause) {
    return switch (cause) {
      case HubException own -> own;
      case InterruptedIOException timeout ->
          new Transient(
              HubException.Reason.UNREACHABLE,
              timeout.getMessage() == null ? "no answer in time" : timeout.getMessage(),
              Optional.empty());
      case IOException failure when failure.getCause() instanceof HubException own -> own;
      case IOException failure -> failure;
      default -> new IOException(shown(uri) + ": " + cause, cause);
    };
  }

  /** Without what follows the question mark, which may be a signature. */
  static String shown(URI uri) {
    return "%s://%s%s".formatted(uri.getScheme(), uri.getAuthority(), uri.getPath());
  }

  static OptionalLong length(HttpHeaders headers) {
    return headers.firstValueAsLong("Content-Length");
  }

  @Override
  public void close() {
    client.shutdownNow();
    threads.shutdown();
  }

  /** The first bytes of an answer, whatever its status, in memory. */
  static final class TextBody implements Body<byte[]> {
    private static final byte[] NOTHING = {};

    private final int most;
    private volatile long lastProgress = System.nanoTime();

    TextBody(int most) {
      this.most = most;
    }

    @Override
    public long lastProgress() {
      return lastProgress;
    }

    @Override
    public HttpResponse.BodySubscriber<byte[]> apply(HttpResponse.ResponseInfo info) {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      return HttpResponse.BodySubscribers.mapping(
          HttpResponse.BodySubscribers.ofByteArrayConsumer(
              bytes -> {
                lastProgress = System.nanoTime();
                byte[] some = bytes.orElse(NOTHING);
                text.write(some, 0, Math.min(some.length, most - text.size()));
              }),
          _ -> text.toByteArray());
    }
  }
}
