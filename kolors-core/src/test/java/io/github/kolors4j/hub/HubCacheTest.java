package io.github.kolors4j.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.Variant;
import io.github.kolors4j.safetensors.json.JsonReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Caches as Python's huggingface_hub has written them, from {@code make_hub_cache_fixture.py}. */
class HubCacheTest {
  private static final String WEIGHTS = "unet/diffusion_pytorch_model.fp16.safetensors";
  private static final RepoRevision TINY = RepoRevision.parse("Owner/tiny-diffusers");
  private static final String COMMIT = "89abcdef0123456789abcdef0123456789abcdef";

  @TempDir Path folder;

  /** Lays a cache of the fixture out, and gives a client that has no network. */
  private HubClient offline(String layout) throws IOException {
    for (Object entry : (List<?>) fixture().get(layout)) {
      Map<?, ?> values = (Map<?, ?>) entry;
      Path path = folder.resolve((String) values.get("path"));
      Files.createDirectories(path.getParent());
      if (values.get("link") instanceof String link) {
        Files.createSymbolicLink(path, Path.of(link));
      } else {
        Files.write(path, Base64.getDecoder().decode((String) values.get("base64")));
      }
    }
    return new HubClient(
        HubEnvironment.of(
            Map.of("HF_HUB_CACHE", folder.toString(), "HF_HUB_OFFLINE", "1"), folder));
  }

  private static Map<String, Object> fixture() throws IOException {
    try (InputStream in = HubCacheTest.class.getResourceAsStream("/hub/caches.json")) {
      return JsonReader.of(in.readAllBytes()).object();
    }
  }

  private static byte[] weights() {
    byte[] weights = new byte[1024];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (byte) i;
    }
    return weights;
  }

  @ParameterizedTest
  @ValueSource(strings = {"symlinks", "trees", "no_symlinks", "no_symlinks_trees", "shared_blobs"})
  void whatPythonHasFetchedIsFoundInEachOfItsLayouts(String layout) throws IOException {
    Path snapshot = offline(layout).snapshot(TINY, Variant.DEFAULT, PullListener.NONE);
    assertEquals(
        folder.resolve("models--Owner--tiny-diffusers/snapshots").resolve(COMMIT), snapshot);
    assertArrayEquals(weights(), Files.readAllBytes(snapshot.resolve(WEIGHTS)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"symlinks", "trees", "no_symlinks", "no_symlinks_trees", "shared_blobs"})
  void whatPythonHasFetchedIsNotFetchedAgain(String layout) throws IOException {
    offline(layout);
    try (FakeHub hub = new FakeHub()) {
      hub.text("README.md", "tiny\n");
      hub.text("model_index.json", "{\"unet\": [\"diffusers\", \"UNet2DConditionModel\"]}\n");
      hub.text("unet/config.json", "{\"sample_size\": 8}\n");
      hub.files.put(WEIGHTS, weights());
      // the fake hub has another name for it, so its listing is asked for by hand
      RepoListing listing =
          new RepoListing(
              TINY,
              COMMIT,
              hub.files.entrySet().stream()
                  .map(
                      file ->
                          new RepoFile(
                              file.getKey(),
                              file.getValue().length,
                              FakeHub.gitSha1(file.getValue()),
                              file.getKey().equals(WEIGHTS)
                                  ? Optional.of(FakeHub.sha256(file.getValue()))
                                  : Optional.empty(),
                              Optional.empty()))
                  .toList(),
              Licence.NONE_NAMED);
      HubClient client =
          new HubClient(
              HubEnvironment.of(
                  Map.of(
                      "HF_HUB_CACHE", folder.toString(),
                      "HF_ENDPOINT", hub.endpoint().toString()),
                  folder));
      List<String> before = names();
      Path snapshot = client.pull(new PullPlan(listing, listing.files()), PullListener.NONE);
      assertEquals(0, hub.requests.size());
      assertArrayEquals(weights(), Files.readAllBytes(snapshot.resolve(WEIGHTS)));
      List<String> after = names();
      after.removeIf(name -> name.contains("/trees")); // the listing, where it was not there
      before.removeIf(name -> name.contains("/trees"));
      assertEquals(before, after);
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return new java.util.ArrayList<>(
          all.map(path -> folder.relativize(path).toString()).sorted().toList());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"symlinks", "trees", "no_symlinks_trees", "shared_blobs"})
  void aDamagedFileIsFoundByItsHash(String layout) throws IOException {
    HubClient client = offline(layout);
    HubCache cache = client.cache();
    assertEquals(List.of(), cache.verify(TINY.repo(), _ -> {}, () -> false));

    Path weights = client.find(TINY, Variant.DEFAULT).orElseThrow().resolve(WEIGHTS);
    Path content = weights.toRealPath();
    byte[] bytes = weights();
    bytes[1000] ^= 1;
    Files.write(content, bytes);
    assertEquals(
        List.of(new CacheFault(weights, content, CacheFault.Kind.DAMAGED)),
        cache.verify(TINY.repo(), _ -> {}, () -> false));

    Files.delete(content);
    if (!layout.startsWith("no")) {
      assertEquals(
          List.of(new CacheFault(weights, weights, CacheFault.Kind.MISSING)),
          cache.verify(TINY.repo(), _ -> {}, () -> false));
    }
  }

  @Test
  void withoutLinksAndListingNobodyKnowsTheHashes() throws IOException {
    List<CacheFault> faults =
        offline("no_symlinks").cache().verify(TINY.repo(), _ -> {}, () -> false);
    assertEquals(4, faults.size());
    faults.forEach(fault -> assertEquals(CacheFault.Kind.HASH_UNKNOWN, fault.kind()));
  }

  @Test
  void theListHasEachRepositoryOnceWithItsSizes() throws IOException {
    HubCache cache = offline("trees").cache();
    Files.writeString(
        folder.resolve("models--Owner--tiny-diffusers/blobs/abc.12345678.incomplete"), "12345");
    Files.createDirectories(folder.resolve("datasets--Owner--other/blobs"));
    List<CachedRepo> repos = cache.list();
    assertEquals(1, repos.size());
    CachedRepo tiny = repos.getFirst();
    assertEquals("Owner/tiny-diffusers", tiny.repo().toString());
    assertEquals(Map.of("main", COMMIT), tiny.refs());
    assertEquals(List.of(COMMIT), tiny.commits());
    assertEquals(5, tiny.partialBytes());
    assertEquals(0, tiny.sharedBytes());
    long tree = Files.size(tiny.folder().resolve("trees").resolve(COMMIT + ".json"));
    assertEquals(5 + 48 + 19 + 1024 + 40 + tree, tiny.bytes());
  }

  @Test
  void removingARepositoryLeavesTheSharedStoreAlone() throws IOException {
    HubCache cache = offline("shared_blobs").cache();
    assertEquals(1024, cache.list().getFirst().sharedBytes());
    assertTrue(cache.remove(TINY.repo()).orElseThrow() < 1024);
    assertEquals(List.of(), cache.list());
    String hash = "cd".repeat(32);
    assertTrue(Files.isRegularFile(folder.resolve("blobs/cd").resolve(hash)));
    assertEquals(Optional.empty(), cache.remove(TINY.repo()));
  }

  @Test
  void removingFollowsNoLinkOutOfTheCache(@TempDir Path elsewhere) throws IOException {
    HubCache cache = offline("symlinks").cache();
    Path precious = Files.writeString(elsewhere.resolve("precious"), "text");
    Files.createSymbolicLink(
        folder.resolve("models--Owner--tiny-diffusers/snapshots/elsewhere"), elsewhere);
    cache.remove(TINY.repo());
    assertTrue(Files.exists(precious));
    assertFalse(
        Files.exists(folder.resolve("models--Owner--tiny-diffusers"), LinkOption.NOFOLLOW_LINKS));
  }

  /** A second commit, which shares a file with the first and has one of its own. */
  @Test
  void removingARevisionLeavesWhatOthersHave() throws IOException {
    HubCache cache = offline("symlinks").cache();
    Path repo = folder.resolve("models--Owner--tiny-diffusers");
    String other = "ab".repeat(20);
    Path blob = Files.writeString(repo.resolve("blobs/" + "ef".repeat(20)), "own");
    Path snapshot = Files.createDirectory(repo.resolve("snapshots").resolve(other));
    Files.createSymbolicLink(snapshot.resolve("own"), Path.of("../../blobs/" + "ef".repeat(20)));
    Path shared = repo.resolve("snapshots").resolve(COMMIT).resolve("model_index.json");
    Path content = shared.toRealPath();
    Files.createSymbolicLink(
        snapshot.resolve("model_index.json"), Path.of("../../blobs", name(content)));
    Files.writeString(repo.resolve("refs/next"), other);

    assertEquals(Optional.of(3L), cache.remove(RepoRevision.parse("Owner/tiny-diffusers@next")));
    assertFalse(Files.exists(blob));
    assertFalse(Files.exists(snapshot));
    assertTrue(Files.exists(shared));
    assertEquals(Map.of("main", COMMIT), cache.list().getFirst().refs());
    assertEquals(Optional.empty(), cache.remove(RepoRevision.parse("Owner/tiny-diffusers@next")));

    cache.remove(RepoRevision.parse("Owner/tiny-diffusers@" + COMMIT));
    assertEquals(List.of(), cache.list());
    assertFalse(Files.exists(repo));
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  @Test
  void aBlobIsReplacedAndNotWrittenThrough() throws IOException {
    HubClient client = offline("shared_blobs");
    Path shared = folder.resolve("blobs/cd").resolve("cd".repeat(32));
    Files.write(shared, new byte[] {1}); // of another size: of no use, and not ours
    try (FakeHub hub = FakeHub.withPipeline()) {
      // a content of the fake hub takes the place of the link
      String shard = "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors";
      Path blobs = Files.createDirectories(folder.resolve("models--Owner--small-diffusers/blobs"));
      Path blob = blobs.resolve(FakeHub.sha256(hub.files.get(shard)));
      Files.createSymbolicLink(blob, blobs.relativize(shared));
      HubClient online =
          new HubClient(
              HubEnvironment.of(
                  Map.of(
                      "HF_HUB_CACHE", client.cache().root().toString(),
                      "HF_ENDPOINT", hub.endpoint().toString()),
                  folder));
      online.pull(
          online.plan(RepoRevision.parse(FakeHub.REPO), Variant.DEFAULT), PullListener.NONE);
      assertFalse(Files.isSymbolicLink(blob));
      assertArrayEquals(hub.files.get(shard), Files.readAllBytes(blob));
      assertArrayEquals(new byte[] {1}, Files.readAllBytes(shared));
    }
  }

  @Test
  void aReferenceOfAnotherWritersIsRead() throws IOException {
    HubClient client = offline("symlinks");
    Files.writeString(folder.resolve("models--Owner--tiny-diffusers/refs/main"), COMMIT + "\n");
    assertTrue(client.find(TINY, Variant.DEFAULT).isPresent());
    Files.writeString(folder.resolve("models--Owner--tiny-diffusers/refs/main"), "../../..");
    assertTrue(client.find(TINY, Variant.DEFAULT).isEmpty());
  }
}
