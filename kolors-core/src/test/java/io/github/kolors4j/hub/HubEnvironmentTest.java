package io.github.kolors4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Names and variables, which mean what they mean in Python. */
class HubEnvironmentTest {
  @TempDir Path home;

  private HubEnvironment of(String... variables) throws IOException {
    Map<String, String> all = new java.util.HashMap<>();
    for (int i = 0; i < variables.length; i += 2) {
      all.put(variables[i], variables[i + 1]);
    }
    return HubEnvironment.of(all, home);
  }

  private Path cache(String... variables) throws IOException {
    return of(variables).cache().root();
  }

  @Test
  void theCacheIsWherePythonHasIt() throws IOException {
    assertEquals(home.resolve(".cache/huggingface/hub"), cache());
    assertEquals(Path.of("/x/huggingface/hub"), cache("XDG_CACHE_HOME", "/x"));
    assertEquals(Path.of("/h/hub"), cache("HF_HOME", "/h", "XDG_CACHE_HOME", "/x"));
    assertEquals(Path.of("/c"), cache("HF_HUB_CACHE", "/c", "HF_HOME", "/h"));
    assertEquals(Path.of("/old"), cache("HUGGINGFACE_HUB_CACHE", "/old", "HF_HOME", "/h"));
    assertEquals(home.resolve("m"), cache("HF_HUB_CACHE", "~/m"));
    assertEquals(
        Path.of("/data/me/${NO}"), cache("HF_HUB_CACHE", "$D/${W}/${NO}", "D", "/data", "W", "me"));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void theHomeIsThatOfTheEnvironmentAndElseThatOfTheListOfUsers() {
    Optional<Path> listed =
        Optional.of(Path.of(System.getProperty("user.home"))).filter(Path::isAbsolute);
    assertEquals(Optional.of(Path.of("/h")), HubEnvironment.home(Map.of("HOME", "/h")));
    assertEquals(listed, HubEnvironment.home(Map.of("HOME", "h")));
    assertEquals(listed, HubEnvironment.home(Map.of()));
  }

  @Test
  void theTokenComesFromTheVariableOrTheFile() throws IOException {
    RepoId.Source hub = RepoId.Source.HUGGING_FACE;
    assertTrue(of().server(hub).token().isEmpty());
    Files.createDirectories(home.resolve(".cache/huggingface"));
    Files.writeString(home.resolve(".cache/huggingface/token"), "hf_file\r\n");
    assertEquals("Bearer hf_file", of().server(hub).token().orElseThrow().authorization());
    assertEquals(
        "Bearer hf_variable",
        of("HF_TOKEN", "hf_variable").server(hub).token().orElseThrow().authorization());
    assertTrue(of("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1").server(hub).token().isEmpty());
    assertTrue(of().server(RepoId.Source.MODELSCOPE).token().isEmpty());
  }

  @Test
  void aTokenHasNoText() throws IOException {
    HubEnvironment environment = of("HF_TOKEN", "hf_verysecret");
    assertFalse(AccessToken.of("hf_verysecret").toString().contains("secret"));
    assertFalse(environment.server(RepoId.Source.HUGGING_FACE).toString().contains("secret"));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> AccessToken.of("hf_very secret"));
    assertFalse(e.getMessage().contains("secret"), e.getMessage());
  }

  @Test
  void valuesThatCannotBeAreNamed() {
    for (List<String> each :
        List.of(
            List.of("HF_ENDPOINT", "not an address"),
            List.of("HF_ENDPOINT", "ftp://example.org"),
            List.of("HF_ENDPOINT", "https://user:password@example.org"),
            List.of("HF_HUB_DOWNLOAD_TIMEOUT", "soon"),
            List.of("HF_HUB_DOWNLOAD_TIMEOUT", "0"),
            List.of("HTTPS_PROXY", "http://user:password@proxy:3128"))) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> of(each.get(0), each.get(1)));
      assertTrue(e.getMessage().startsWith("[hub] " + each.get(0)), e.getMessage());
    }
  }

  @Test
  void proxiesAreThoseOfTheEnvironment() throws IOException {
    ProxySelector proxies =
        of("https_proxy", "http://proxy:3128", "NO_PROXY", "localhost, .inside.org")
            .network()
            .proxies();
    Proxy proxy = proxies.select(URI.create("https://huggingface.co/a")).getFirst();
    assertEquals(InetSocketAddress.createUnresolved("proxy", 3128), proxy.address());
    for (String direct :
        List.of("https://localhost:1/", "https://a.inside.org/", "http://huggingface.co/")) {
      assertEquals(List.of(Proxy.NO_PROXY), proxies.select(URI.create(direct)), direct);
    }
    assertSame(ProxySelector.getDefault(), of().network().proxies());
  }

  @Test
  void namesAreOwnerAndNameWithARevision() {
    RepoRevision kolors = RepoRevision.parse("Kwai-Kolors/Kolors-diffusers");
    assertEquals("main", kolors.revision());
    assertFalse(kolors.isCommit());
    assertEquals("refs/pr/1", RepoRevision.parse("a/b@refs/pr/1").revision());
    RepoRevision there = RepoRevision.parse("modelscope://a/b.c_d");
    assertEquals(RepoId.Source.MODELSCOPE, there.repo().source());
    assertEquals("master", there.revision());
    assertEquals("modelscope://a/b.c_d@master", there.toString());
    assertTrue(RepoRevision.parse("a/b@" + FakeHub.COMMIT).isCommit());
    for (String wrong :
        List.of(
            "",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "../b",
            "a/..",
            "a--b/c",
            "-a/b",
            "a/b.git",
            "a/b@",
            "a/b@../c",
            "a/b@/c",
            "a/b@c\\d",
            "a/b@.hidden",
            "a b/c",
            "a/b@c d")) {
      assertThrows(IllegalArgumentException.class, () -> RepoRevision.parse(wrong), wrong);
    }
  }

  @Test
  void aServersWaitIsReadFromTheRateLimitFirst() {
    assertEquals(
        Optional.of(Duration.ofSeconds(55)),
        waitOf(Map.of("RateLimit", List.of("\"api\";r=0;t=55"), "Retry-After", List.of("9"))));
    assertEquals(Optional.of(Duration.ofSeconds(9)), waitOf(Map.of("Retry-After", List.of(" 9 "))));
    assertEquals(
        Optional.empty(), waitOf(Map.of("Retry-After", List.of("Fri, 31 Dec 1999 23:59:59 GMT"))));
  }

  private static Optional<Duration> waitOf(Map<String, List<String>> headers) {
    return Http.wait(HttpHeaders.of(headers, (_, _) -> true));
  }

  @Test
  void thePausesDoubleUpToTheLongest() {
    List<Long> seconds =
        java.util.stream.IntStream.rangeClosed(1, 6)
            .mapToObj(i -> Backoff.STANDARD.pause(i).toSeconds())
            .toList();
    assertEquals(List.of(1L, 2L, 4L, 8L, 8L, 8L), seconds);
  }

  @Test
  void theRateForgetsWhatWasLongAgo() {
    Rate rate = new Rate();
    long second = 1_000_000_000L;
    assertEquals(0, rate.of(0, 0));
    assertEquals(Optional.empty(), rate.timeLeft(100));
    for (int i = 1; i <= 30; i++) {
      rate.of(i < 15 ? i * 1000L : 15_000 + (i - 15) * 10L, i * second);
    }
    assertEquals(10, rate.of(15_160, 31 * second), 1e-9);
    assertEquals(Optional.of(Duration.ofSeconds(10)), rate.timeLeft(100));
  }
}
