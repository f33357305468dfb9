package io.github.kolors4j.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ways to a hub: TLS and proxies. */
class HubConnectionTest {
  private static final String SHARD =
      "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors";

  @TempDir Path folder;

  private HubClient client(String endpoint, String... more) throws IOException {
    Map<String, String> variables = new LinkedHashMap<>();
    variables.put("HF_HUB_CACHE", folder.toString());
    variables.put("HF_ENDPOINT", endpoint);
    variables.put("HF_TOKEN", "hf_verysecret");
    for (int i = 0; i < more.length; i += 2) {
      variables.put(more[i], more[i + 1]);
    }
    Backoff quick =
        new Backoff(Duration.ofMillis(1), Duration.ofMillis(1), Duration.ofSeconds(1), 2);
    return new HubClient(HubEnvironment.of(variables, folder), quick, 256 << 10, () -> false);
  }

  private static Path pull(HubClient client) throws IOException {
    PullPlan plan = client.plan(RepoRevision.parse(FakeHub.REPO), Variant.DEFAULT);
    return client.pull(plan, PullListener.NONE);
  }

  /**
   * Of {@code localhost}: {@code keytool -genkeypair -alias hub -keyalg EC -groupname secp256r1
   * -dname CN=localhost -ext san=dns:localhost -validity 36500 -storetype PKCS12 -keystore
   * localhost.p12 -storepass changeit}.
   */
  private static SSLContext tls() throws Exception {
    char[] password = "changeit".toCharArray();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = HubConnectionTest.class.getResourceAsStream("/hub/localhost.p12")) {
      store.load(in, password);
    }
    KeyManagerFactory keys =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, password);
    TrustManagerFactory trusted =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trusted.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
    return context;
  }

  @Test
  void overTlsTheCertificateHasToBeTrustedAndOfTheHost() throws Exception {
    SSLContext before = SSLContext.getDefault();
    HostnameVerifier verifierBefore = HttpsURLConnection.getDefaultHostnameVerifier();
    try (FakeHub hub = FakeHub.withPipeline(Optional.of(tls()))) {
      String endpoint = hub.endpoint().toString();
      HubClient client = client(endpoint);
      assertRefused(client, "certification path");

      SSLContext.setDefault(tls());
      // as some applications do, for all their connections
      HttpsURLConnection.setDefaultHostnameVerifier((_, _) -> true);
      assertRefused(client(endpoint.replace("localhost", "127.0.0.1")), "127.0.0.1");
      assertEquals(0, hub.requests.size());

      Path snapshot = pull(client);
      assertArrayEquals(hub.files.get(SHARD), Files.readAllBytes(snapshot.resolve(SHARD)));
      Set<String> seen = new TreeSet<>();
      hub.requests.forEach(request -> seen.add(request.server() + " " + request.authorization()));
      assertEquals(Set.of("hub Bearer hf_verysecret", "store null"), seen);
    } finally {
      SSLContext.setDefault(before);
      HttpsURLConnection.setDefaultHostnameVerifier(verifierBefore);
    }
  }

  private static void assertRefused(HubClient client, String why) {
    HubException e = assertThrows(HubException.class, () -> pull(client));
    assertEquals(HubException.Reason.UNREACHABLE, e.reason());
    assertTrue(e.getMessage().contains(why), e.getMessage());
  }

  /** Which alone knows where the hub is; the store is asked directly. */
  @Test
  void aProxyIsAskedForTheHostsThatItIsFor() throws IOException {
    try (FakeHub hub = FakeHub.withPipeline()) {
      HubClient client =
          client(
              "http://hub.invalid",
              "HTTP_PROXY",
              hub.endpoint().toString(),
              "NO_PROXY",
              "localhost");
      Path snapshot = pull(client);
      assertArrayEquals(hub.files.get(SHARD), Files.readAllBytes(snapshot.resolve(SHARD)));
    }
  }
}
