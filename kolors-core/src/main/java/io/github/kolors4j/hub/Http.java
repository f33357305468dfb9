package io.github.kolors4j.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpHeaders;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
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
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests to one hub: redirects, retries, waits and the token.
 *
 * <p>Redirects are followed here and not by the JDK, so that one place decides who sees the token:
 * the hub's own scheme, host and port, and nobody else.
 *
 * <p>Bytes are read by who needs them, in large pieces. The JDK's newer client hands them from
 * thread to thread, which costs more than to hash them where the line is fast.
 */
final class Http implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Http.class);
  private static final int MOST_REDIRECTS = 8;
  private static final int MOST_TEXT_BYTES = 64 << 20;
  private static final long TICK_MILLIS = 50;
  private static final Pattern RATE_LIMIT = Pattern.compile(";\\s*t\\s*=\\s*(\\d{1,9})");

  /** Who waits for an answer gives it up first, and says why. */
  private static final Duration READER_WAITS_LONGER = Duration.ofSeconds(1);

  /** In place of the process's own, whose passwords are not for the hosts that we are sent to. */
  private static final Authenticator NO_PASSWORDS = new Authenticator() {};

  private final HubEnvironment.Server server;
  private final HubEnvironment.Network network;
  private final Backoff backoff;
  private final BooleanSupplier cancelled;

  /** Who reads an answer; who waits for it can leave, which a read that blocks cannot. */
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("kolors-http-", 0).factory());

  /** One for all requests: connections are kept for those with the same. */
  private @Nullable SSLSocketFactory sockets;

  Http(
      HubEnvironment.Server server,
      HubEnvironment.Network network,
      Backoff backoff,
      BooleanSupplier cancelled) {
    this.server = server;
    this.network = network;
    this.backoff = backoff;
    this.cancelled = cancelled;
  }

  /** How an answer's bytes are taken, and when the last ones came. */
  interface Body<T> {
    /**
     * Reads what is wanted. The stream is closed afterwards; who waited may have left by then.
     *
     * @param bytes at their end where the answer has none
     */
    T take(int status, HttpHeaders headers, InputStream bytes) throws IOException;

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
      if (cause instanceof UnknownHostException) {
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
      Answer<T> answer = once(at, range, body);
      Optional<String> location = answer.headers().firstValue("Location");
      if (answer.status() / 100 != 3 || location.isEmpty()) {
        return answer;
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
      if (to.getHost() != null && !weaker && to.getScheme().matches("https?")) {
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

  private <T> Answer<T> once(URI uri, Optional<String> range, Body<T> body)
      throws IOException, InterruptedException {
    checkCancelled();
    HttpURLConnection request = request(uri, range);
    LOG.debug("GET {} {}", shown(uri), range.orElse(""));
    return await(uri, threads.submit(() -> answer(uri, request, body)), body);
  }

  private HttpURLConnection request(URI uri, Optional<String> range) throws IOException {
    List<Proxy> proxies = network.proxies().select(uri);
    HttpURLConnection request =
        (HttpURLConnection)
            uri.toURL().openConnection(proxies.isEmpty() ? Proxy.NO_PROXY : proxies.getFirst());
    if (request instanceof HttpsURLConnection https) {
      https.setSSLSocketFactory(sockets());
      // asked only for a certificate of another host, which a process may have said yes to
      https.setHostnameVerifier((_, _) -> false);
    }
    request.setInstanceFollowRedirects(false);
    request.setUseCaches(false);
    request.setAuthenticator(NO_PASSWORDS);
    request.setConnectTimeout(Math.toIntExact(network.answerTimeout().toMillis()));
    request.setReadTimeout(
        Math.toIntExact(network.stallTimeout().plus(READER_WAITS_LONGER).toMillis()));
    request.setRequestProperty("User-Agent", "kolors4j; java/" + Runtime.version().feature());
    request.setRequestProperty("Accept", "*/*");
    request.setRequestProperty("Accept-Encoding", "identity");
    range.ifPresent(bytes -> request.setRequestProperty("Range", bytes));
    if (isOwn(uri)) {
      server
          .token()
          .ifPresent(token -> request.setRequestProperty("Authorization", token.authorization()));
    }
    return request;
  }

  private synchronized SSLSocketFactory sockets() throws IOException {
    if (sockets == null) {
      try {
        sockets = SSLContext.getDefault().getSocketFactory();
      } catch (NoSuchAlgorithmException e) {
        throw new IOException("no TLS in this JVM: " + e.getMessage(), e);
      }
    }
    return sockets;
  }

  private static <T> Answer<T> answer(URI uri, HttpURLConnection request, Body<T> body)
      throws IOException {
    int status = request.getResponseCode(); // before the stream, whose messages have the query
    HttpHeaders headers = headers(request);
    try (InputStream bytes = status < 400 ? request.getInputStream() : request.getErrorStream()) {
      T taken = body.take(status, headers, bytes == null ? InputStream.nullInputStream() : bytes);
      return new Answer<>(status, headers, uri, taken);
    }
  }

  /** In the order that they came in, their names in whatever case. */
  private static HttpHeaders headers(HttpURLConnection request) {
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (int i = 1; request.getHeaderField(i) != null; i++) { // 0 is the line with the status
      String name = request.getHeaderFieldKey(i);
      if (name != null && !name.isBlank()) {
        headers
            .computeIfAbsent(name.strip(), _ -> new ArrayList<>())
            .add(request.getHeaderField(i));
      }
    }
    return HttpHeaders.of(headers, (_, _) -> true);
  }

  /** The hub itself, where the token may go. */
  boolean isOwn(URI uri) {
    URI own = server.endpoint();
    return own.getScheme().equals(uri.getScheme())
        && own.getHost().equalsIgnoreCase(uri.getHost())
        && own.getPort() == uri.getPort();
  }

  /** Waits for all of the body, but not longer than bytes come. */
  private <T> Answer<T> await(URI uri, Future<Answer<T>> response, Body<T> body)
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
      response.cancel(false); // whose reader may be writing to a file, which an interrupt closes
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
    threads.shutdown();
  }

  /** The first bytes of an answer, whatever its status, in memory. */
  static final class TextBody implements Body<byte[]> {
    private static final int PIECE_BYTES = 16 << 10;

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
    public byte[] take(int status, HttpHeaders headers, InputStream bytes) throws IOException {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      byte[] piece = new byte[PIECE_BYTES];
      while (text.size() < most) {
        int count = bytes.read(piece, 0, Math.min(piece.length, most - text.size()));
        if (count < 0) {
          break;
        }
        lastProgress = System.nanoTime();
        text.write(piece, 0, count);
      }
      return text.toByteArray();
    }
  }
}
