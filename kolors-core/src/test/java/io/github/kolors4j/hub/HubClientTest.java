package io.github.kolors4j.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pulls from a server that behaves, and misbehaves, like the hub. */
class HubClientTest {
  private static final RepoRevision MAIN = RepoRevision.parse(FakeHub.REPO);
  private static final String SHARD_1 =
      "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors";
  private static final String SHARD_2 =
      "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors";
  private static final Set<String> PLANNED =
      Set.of(
          "model_index.json",
          "MODEL_LICENSE",
          "scheduler/scheduler_config.json",
          "tokenizer/tokenizer_config.json",
          "tokenizer/vocab with spaces 词.txt",
          "unet/config.json",
          "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
          SHARD_1,
          SHARD_2);

  /** So that the large files have several ranges, of which the last is shorter. */
  private static final long RANGE_BYTES = 64 << 10;

  private static final Backoff QUICK =
      new Backoff(Duration.ofMillis(1), Duration.ofMillis(4), Duration.ofSeconds(2), 4);

  @TempDir Path cacheFolder;
  @TempDir Path home;
  private FakeHub hub;

  @BeforeEach
  void start() throws IOException {
    hub = FakeHub.withPipeline();
  }

  @AfterEach
  void stop() {
    hub.close();
  }

  private HubEnvironment environment(String... more) throws IOException {
    Map<String, String> variables = new LinkedHashMap<>();
    variables.put("HF_HUB_CACHE", cacheFolder.toString());
    variables.put("HF_ENDPOINT", hub.endpoint().toString());
    variables.put("MODELSCOPE_DOMAIN", hub.endpoint().toString());
    variables.put("HF_TOKEN", "hf_verysecret");
    variables.put("HF_HUB_DOWNLOAD_TIMEOUT", "1");
    for (int i = 0; i < more.length; i += 2) {
      variables.put(more[i], more[i + 1]);
    }
    return HubEnvironment.of(variables, home);
  }

  private HubClient client(String... more) throws IOException {
    return new HubClient(environment(more), QUICK, RANGE_BYTES, () -> false);
  }

  private Path pull(HubClient client) throws IOException {
    return client.pull(client.plan(MAIN, Variant.DEFAULT), PullListener.NONE);
  }

  private void assertWhole(Path snapshot) throws IOException {
    assertEquals(PLANNED, filesBelow(snapshot));
    for (String path : PLANNED) {
      assertArrayEquals(hub.files.get(path), Files.readAllBytes(snapshot.resolve(path)), path);
    }
    assertEquals(List.of(), incomplete());
  }

  private static Set<String> filesBelow(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .map(path -> folder.relativize(path).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private List<Path> incomplete() throws IOException {
    try (Stream<Path> all = Files.walk(cacheFolder)) {
      return all.filter(path -> path.toString().endsWith(".incomplete")).toList();
    }
  }

  /** No content has a name that is not its hash, whatever happened. */
  private void assertNothingHalf() throws IOException {
    Path blobs = cacheFolder.resolve("models--Owner--small-diffusers/blobs");
    if (!Files.isDirectory(blobs)) {
      return;
    }
    try (Stream<Path> all = Files.list(blobs)) {
      for (Path blob : all.filter(path -> !path.toString().endsWith(".incomplete")).toList()) {
        byte[] bytes = Files.readAllBytes(blob);
        String name = blob.getFileName().toString();
        assertTrue(Set.of(FakeHub.sha256(bytes), FakeHub.gitSha1(bytes)).contains(name), name);
      }
    }
  }

  private HubException refused(HubException.Reason reason) throws IOException {
    HubException e = assertThrows(HubException.class, () -> pull(client()));
    assertEquals(reason, e.reason(), e.getMessage());
    assertTrue(e.getMessage().startsWith("[hub] "), e.getMessage());
    assertTrue(e.getMessage().endsWith("."), e.getMessage());
    assertFalse(e.getMessage().contains("secret"), e.getMessage());
    assertNothingHalf();
    return e;
  }

  @Test
  void aPipelinesFilesComeIntoPythonsLayout() throws IOException {
    Path snapshot = pull(client());

    Path repo = cacheFolder.resolve("models--Owner--small-diffusers");
    assertEquals(repo.resolve("snapshots").resolve(FakeHub.COMMIT), snapshot);
    assertWhole(snapshot);
    assertEquals(FakeHub.COMMIT, Files.readString(repo.resolve("refs/main")));
    assertTrue(Files.exists(cacheFolder.resolve("CACHEDIR.TAG")));
    assertEquals(
        Path.of("../../../blobs", FakeHub.sha256(hub.files.get(SHARD_1))),
        Files.readSymbolicLink(snapshot.resolve(SHARD_1)));
    assertEquals(
        Path.of("../../blobs", FakeHub.gitSha1(hub.files.get("model_index.json"))),
        Files.readSymbolicLink(snapshot.resolve("model_index.json")));
    assertFalse(Files.exists(repo.resolve("trees")), "a listing says that all of it is there");
  }

  @Test
  void everyByteIsFetchedOnceInSeveralRanges() throws IOException {
    pull(client());
    long bytes = PLANNED.stream().mapToLong(path -> hub.files.get(path).length).sum();
    assertEquals(bytes + hub.files.get("model_index.json").length, hub.contentBytes.get());
    assertEquals(7, hub.requestsFor(SHARD_1));
    assertEquals(5, hub.requestsFor(SHARD_2));
  }

  @Test
  void aSecondPullFetchesNothing() throws IOException {
    pull(client());
    long before = hub.contentBytes.get();
    List<Long> told = new ArrayList<>();
    HubClient client = client();
    client.pull(
        client.plan(MAIN, Variant.DEFAULT),
        new PullListener() {
          @Override
          public void onBegin(PullPlan plan, long bytesToFetch) {
            told.add(bytesToFetch);
          }
        });
    assertEquals(before + hub.files.get("model_index.json").length, hub.contentBytes.get());
    assertEquals(List.of(), told);
  }

  @Test
  void theLicenceIsToldBeforeTheFirstByte() throws IOException {
    List<String> told = new ArrayList<>();
    List<PullProgress> progress = new ArrayList<>();
    HubClient client = client();
    PullPlan plan = client.plan(MAIN, Variant.DEFAULT);
    long before = hub.contentBytes.get();
    client.pull(
        plan,
        new PullListener() {
          @Override
          public void onBegin(PullPlan begun, long bytesToFetch) {
            told.add(begun.listing().licence().toString());
            assertEquals(plan.bytes(), bytesToFetch);
            assertEquals(before, hub.contentBytes.get());
          }

          @Override
          public void onProgress(PullProgress now) {
            progress.add(now);
          }
        });
    assertEquals(List.of("small-license, https://example.org/terms"), told);
    PullProgress last = progress.getLast();
    assertEquals(plan.bytes(), last.bytesDone());
    assertEquals(plan.bytes(), last.bytesFetched());
    assertEquals(PLANNED.size(), last.filesDone());
  }

  @Test
  void theTokenGoesToTheHubAndToNobodyElse() throws IOException {
    pull(client());
    Set<String> seen = new TreeSet<>();
    hub.requests.forEach(request -> seen.add(request.server() + " " + request.authorization()));
    assertEquals(Set.of("hub Bearer hf_verysecret", "store null"), seen);
  }

  @Test
  void aFileOfWhichTheServerSendsNoRangesIsReadFromTheStart() throws IOException {
    hub.misbehaviour =
        (ask, content) -> {
          if (!ask.inStore()) {
            return false;
          }
          ask.exchange().sendResponseHeaders(200, content.length);
          ask.exchange().getResponseBody().write(content);
          ask.exchange().close();
          return true;
        };
    assertWhole(pull(client()));
  }

  @Test
  void aFileWithoutRangesSurvivesADrop() throws IOException {
    hub.misbehaviour =
        (ask, content) -> {
          if (!ask.inStore()) {
            return false;
          }
          ask.exchange().sendResponseHeaders(200, content.length);
          int count = ask.number() < 3 ? content.length / 2 * ask.number() - 7 : content.length;
          ask.exchange().getResponseBody().write(content, 0, Math.min(content.length, count));
          if (count < content.length) {
            ask.exchange().getResponseBody().flush();
          }
          ask.exchange().close();
          return true;
        };
    assertWhole(pull(client()));
  }

  @Test
  void aLinkThatHasExpiredIsAskedForAnew() throws IOException {
    hub.misbehaviour =
        (ask, _) -> {
          if (ask.inStore() && ask.number() % 3 == 1) {
            ask.answer(403);
            return true;
          }
          return false;
        };
    assertWhole(pull(client()));
  }

  @Test
  void aConnectionThatDropsGoesOnWhereItStood() throws IOException {
    hub.misbehaviour =
        (ask, content) -> {
          if (ask.path().equals(SHARD_1) && ask.inStore() && ask.number() <= 10) {
            hub.cutAfter(ask.exchange(), content, 20_000);
            ask.exchange().close();
            return true;
          }
          return false;
        };
    assertWhole(pull(client()));
    long bytes = PLANNED.stream().mapToLong(path -> hub.files.get(path).length).sum();
    long twice = hub.contentBytes.get() - bytes - hub.files.get("model_index.json").length;
    // what was in the pipes when it broke
    assertTrue(twice <= 10 * 20_000, "bytes fetched twice: " + twice);
  }

  /** Fewer than are written at a time. */
  @Test
  void aConnectionThatDropsAfterSomeBytesHasBroughtThem() throws IOException {
    hub.misbehaviour =
        (ask, content) -> {
          if (ask.path().equals(SHARD_1) && ask.inStore() && ask.number() <= 40) {
            hub.cutAfter(ask.exchange(), content, 1000);
            ask.exchange().close();
            return true;
          }
          return false;
        };
    assertWhole(pull(client()));
    assertEquals(hub.files.get(SHARD_1).length, hub.bytesSent(SHARD_1));
  }

  @Test
  void aConnectionThatStallsIsLeft() throws IOException {
    hub.misbehaviour =
        (ask, content) -> {
          if (ask.path().equals(SHARD_2) && ask.inStore() && ask.number() == 1) {
            hub.cutAfter(ask.exchange(), content, 10_000);
            Thread.sleep(20_000);
          }
          return false;
        };
    long begin = System.nanoTime();
    assertWhole(pull(client()));
    long seconds = Duration.ofNanos(System.nanoTime() - begin).toSeconds();
    assertTrue(seconds < 10, "took " + seconds + " s");
  }

  @Test
  void aServerThatAsksToWaitIsWaitedFor() throws IOException {
    long[] asked = new long[2];
    hub.misbehaviour =
        (ask, _) -> {
          if (ask.path().equals(SHARD_2) && !ask.inStore()) {
            if (ask.number() == 1) {
              asked[0] = System.nanoTime();
              ask.answer(429, "RateLimit", "\"resolvers\";r=0;t=1", "Retry-After", "100");
              return true;
            }
            asked[1] = Math.max(asked[1], System.nanoTime());
          }
          return false;
        };
    assertWhole(pull(client()));
    assertTrue(asked[1] - asked[0] >= Duration.ofSeconds(1).toNanos());
  }

  @Test
  void aWaitThatNobodyWaitsForIsSaid() throws IOException {
    hub.misbehaviour =
        (ask, _) -> {
          if (ask.path().equals(SHARD_2)) {
            ask.answer(429, "Retry-After", "86400");
            return true;
          }
          return false;
        };
    assertTrue(refused(HubException.Reason.RATE_LIMITED).getMessage().contains("86400 s"));
  }

  @Test
  void aServerInTroubleIsTriedAgainUntilThereIsNoHope() throws IOException {
    hub.misbehaviour =
        (ask, _) -> {
          boolean always = ask.path().equals(SHARD_2);
          if (always || ask.number() < 3) {
            ask.answer(ask.number() % 2 == 0 ? 503 : 500);
            return true;
          }
          return false;
        };
    HubException e = refused(HubException.Reason.UNREACHABLE);
    assertTrue(e.getMessage().contains("4 times in a row"), e.getMessage());
    hub.misbehaviour = (_, _) -> false;
    assertWhole(pull(client()));
  }

  @Test
  void aFileOfAnotherLengthIsRefused() throws IOException {
    hub.misbehaviour =
        (ask, content) -> {
          if (!ask.path().equals("unet/config.json")) {
            return false;
          }
          ask.exchange().sendResponseHeaders(200, content.length + 1);
          ask.exchange().getResponseBody().write(content);
          ask.exchange().getResponseBody().write(0);
          ask.exchange().close();
          return true;
        };
    assertTrue(
        refused(HubException.Reason.DAMAGED)
            .getMessage()
            .contains("unet/config.json has 20 bytes"));
  }

  @Test
  void aFileOfAnotherHashIsFetchedOnceMoreAndThenGivenUp() throws IOException {
    AtomicBoolean always = new AtomicBoolean();
    hub.misbehaviour =
        (ask, content) -> {
          boolean first = ask.number() <= 7 || always.get();
          if (ask.path().equals(SHARD_1) && ask.inStore() && first) {
            hub.cutAfter(ask.exchange(), new byte[content.length], content.length);
            ask.exchange().close();
            return true;
          }
          return false;
        };
    assertWhole(pull(client()));
    assertEquals(14, hub.requestsFor(SHARD_1));

    new HubCache(cacheFolder).remove(MAIN.repo());
    always.set(true);
    assertTrue(refused(HubException.Reason.DAMAGED).getMessage().contains(SHARD_1));
    assertFalse(
        Files.exists(cacheFolder.resolve("models--Owner--small-diffusers/snapshots")),
        "a pull that failed left something that looks like a checkpoint");
  }

  @Test
  void whatDoesNotExistHasASentence() throws IOException {
    Map<String, HubException.Reason> expected =
        Map.of(
            "Owner/absent",
            HubException.Reason.NO_REPOSITORY,
            "Owner/gated",
            HubException.Reason.GATED,
            FakeHub.REPO + "@other",
            HubException.Reason.NO_REVISION);
    for (Map.Entry<String, HubException.Reason> each : expected.entrySet()) {
      HubException e =
          assertThrows(
              HubException.class,
              () -> client().plan(RepoRevision.parse(each.getKey()), Variant.DEFAULT));
      assertEquals(each.getValue(), e.reason(), e.getMessage());
      assertTrue(e.getMessage().contains(each.getKey().replaceAll("@.*", "")), e.getMessage());
    }
  }

  @Test
  void namesThatLeadOutOfTheFolderAreRefused() throws IOException {
    for (String path :
        List.of(
            "../evil",
            "unet/../../evil",
            "/etc/evil",
            "a//b",
            "./a",
            "a\\..\\b",
            "C:evil",
            "",
            "a\u0000b",
            "unet/config.json/under",
            "unet/config.json")) {
      hub.moreEntries.clear();
      hub.moreEntries.add(FakeHub.entry(path, new byte[] {1}));
      HubException e = refused(HubException.Reason.PROTOCOL);
      assertEquals(List.of(), List.copyOf(filesBelow(cacheFolder)), e.getMessage());
    }
  }

  @Test
  void linksInTheListingAreRefused() throws IOException {
    Map<String, Object> link = FakeHub.entry("unet/link", "/etc/passwd".getBytes());
    link.put("type", "symlink");
    hub.moreEntries.add(link);
    assertTrue(refused(HubException.Reason.PROTOCOL).getMessage().contains("symlink"));
  }

  @Test
  void aHashThatIsNoneNamesNoFile() throws IOException {
    Map<String, Object> entry = FakeHub.entry("unet/extra.json", new byte[] {1});
    entry.put("oid", "../../../../evil");
    hub.moreEntries.add(entry);
    refused(HubException.Reason.PROTOCOL);
  }

  @Test
  void aDiskThatIsTooSmallIsNoticedBeforeTheFirstByte() throws IOException {
    Map<String, Object> entry = FakeHub.entry("unet/large.json", new byte[] {1});
    entry.put("size", 1L << 55);
    hub.moreEntries.add(entry);
    HubException e = refused(HubException.Reason.DISK);
    assertTrue(e.getMessage().contains("36028797.02 GB"), e.getMessage());
    assertEquals(0, hub.requestsFor(SHARD_1));
  }

  /** The caller's thread looks whether it was cancelled just when a worker has failed. */
  @Test
  void whatHasFailedIsSaidAndNotThatThePullEnded() throws Exception {
    Thread caller = Thread.currentThread();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch refused = new CountDownLatch(1);
    hub.misbehaviour =
        (ask, content) -> {
          if (!ask.path().equals("unet/config.json")) {
            Thread.sleep(400); // so that the other workers are still there
            return false;
          }
          ask.answer(404);
          refused.countDown();
          return true;
        };
    HubClient client =
        client()
            .cancelledBy(
                () -> {
                  if (Thread.currentThread().equals(caller) && begun.getCount() == 0) {
                    pause(refused);
                  }
                  return false;
                });
    PullPlan plan = client.plan(MAIN, Variant.DEFAULT);
    PullListener listener =
        new PullListener() {
          @Override
          public void onBegin(PullPlan begins, long bytesToFetch) {
            begun.countDown();
          }
        };
    assertThrows(HubException.class, () -> client.pull(plan, listener));
  }

  private static void pause(CountDownLatch until) {
    try {
      assertTrue(until.await(10, TimeUnit.SECONDS));
      Thread.sleep(20);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** When all but the rest of one range has come: what is in the pipes is nobody's. */
  @Test
  void aPullThatIsCancelledIsGoneOnWith() throws IOException {
    AtomicBoolean cancelled = new AtomicBoolean();
    AtomicLong most = new AtomicLong();
    hub.misbehaviour =
        (ask, content) -> {
          if (ask.path().equals(SHARD_1) && ask.inStore() && ask.number() == 2) {
            hub.cutAfter(ask.exchange(), content, 10_000);
            Thread.sleep(20_000);
          }
          return false;
        };
    HubClient client = client("HF_HUB_DOWNLOAD_TIMEOUT", "15").cancelledBy(cancelled::get);
    PullPlan plan = client.plan(MAIN, Variant.DEFAULT);
    PullListener listener =
        new PullListener() {
          @Override
          public void onBegin(PullPlan begun, long bytesToFetch) {
            most.set(bytesToFetch - RANGE_BYTES);
          }

          @Override
          public void onProgress(PullProgress progress) {
            cancelled.set(progress.bytesFetched() > most.get());
          }
        };
    assertThrows(CancellationException.class, () -> client.pull(plan, listener));
    assertNothingHalf();
    hub.misbehaviour = (_, _) -> false;
    assertWhole(pull(client()));
    for (String path : List.of(SHARD_1, SHARD_2)) {
      long twice = hub.bytesSent(path) - hub.files.get(path).length;
      assertTrue(twice <= RANGE_BYTES, "bytes fetched twice of " + path + ": " + twice);
    }
  }

  @Test
  void twoPullsAtOnceFetchEachFileOnce() throws Exception {
    hub.misbehaviour =
        (ask, _) -> {
          if (ask.inStore()) {
            Thread.sleep(50);
          }
          return false;
        };
    CompletableFuture<Path> other =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return pull(client());
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    Path snapshot = pull(client());
    assertEquals(snapshot, other.get());
    assertWhole(snapshot);
    assertEquals(7, hub.requestsFor(SHARD_1));
  }

  @Test
  void withoutLinksTheSnapshotHasTheFilesThemselves() throws IOException {
    hub.text("tokenizer/same.txt", "a b c"); // the content of another file
    HubClient client = client("HF_HUB_DISABLE_SYMLINKS", "1");
    Path snapshot = pull(client);
    assertFalse(Files.isSymbolicLink(snapshot.resolve(SHARD_1)));
    assertEquals("a b c", Files.readString(snapshot.resolve("tokenizer/same.txt")));
    assertEquals("a b c", Files.readString(snapshot.resolve("tokenizer/vocab with spaces 词.txt")));
    long before = hub.requestsFor(SHARD_1);
    pull(client);
    assertEquals(before, hub.requestsFor(SHARD_1));
  }

  @Test
  void offlineTheCacheAnswersOrSaysWhatIsMissing() throws IOException {
    HubClient offline = client("HF_HUB_OFFLINE", "1");
    HubException e =
        assertThrows(
            HubException.class, () -> offline.snapshot(MAIN, Variant.DEFAULT, PullListener.NONE));
    assertEquals(HubException.Reason.OFFLINE, e.reason());
    Path pulled = pull(client());
    int before = hub.requests.size();
    assertEquals(pulled, offline.snapshot(MAIN, Variant.DEFAULT, PullListener.NONE));
    HubException other =
        assertThrows(HubException.class, () -> offline.plan(MAIN, Variant.only("bf16")));
    assertEquals(
        "[hub] %s@main is not in %s with bf16 weights, and HF_HUB_OFFLINE forbids the network: unset it, or pull where there is one."
            .formatted(FakeHub.REPO, cacheFolder),
        other.getMessage());
    assertEquals(before, hub.requests.size());
  }

  @Test
  void aHubThatIsAwayIsNoReasonNotToUseTheCache() throws IOException {
    Path pulled = pull(client());
    hub.close();
    assertEquals(pulled, client().snapshot(MAIN, Variant.DEFAULT, PullListener.NONE));
  }

  @Test
  void aCommitThatIsThereIsNotAskedFor() throws IOException {
    Path pulled = pull(client());
    int before = hub.requests.size();
    RepoRevision commit = new RepoRevision(MAIN.repo(), FakeHub.COMMIT);
    assertEquals(pulled, client().snapshot(commit, Variant.DEFAULT, PullListener.NONE));
    assertEquals(before, hub.requests.size());
  }

  @Test
  void aSnapshotWithoutAllOfItsShardsIsNotFound() throws IOException {
    Path snapshot = pull(client());
    assertTrue(client().find(MAIN, Variant.DEFAULT).isPresent());
    assertTrue(client().find(MAIN, Variant.PLAIN).isEmpty());
    Files.delete(snapshot.resolve(SHARD_2));
    assertTrue(client().find(MAIN, Variant.DEFAULT).isEmpty());
    assertWhole(pull(client()));
  }

  @Test
  void anotherVariantIsChosenByItsName() throws IOException {
    PullPlan plain = client().plan(MAIN, Variant.PLAIN);
    assertTrue(
        plain.files().stream()
            .anyMatch(file -> file.path().equals("unet/diffusion_pytorch_model.safetensors")));
    assertTrue(plain.files().stream().noneMatch(file -> file.path().equals(SHARD_1)));
    HubException e =
        assertThrows(HubException.class, () -> client().plan(MAIN, Variant.only("bf16")));
    assertTrue(e.getMessage().contains("no bf16 weights"), e.getMessage());
  }

  @Test
  void theOnlyVariantIsTakenWhereThereIsNoOther() throws IOException {
    hub.files.keySet().removeIf(path -> path.startsWith("unet/diffusion"));
    hub.text("unet/diffusion_pytorch_model.bf16.safetensors", "weights");
    assertTrue(
        client().plan(MAIN, Variant.DEFAULT).files().stream()
            .anyMatch(file -> file.path().endsWith("model.bf16.safetensors")));
    hub.text("unet/diffusion_pytorch_model.int8.safetensors", "weights");
    assertThrows(HubException.class, () -> client().plan(MAIN, Variant.DEFAULT));
  }

  @Test
  void aRevisionOfWhichAllIsThereHasItsListing() throws IOException {
    List.of(
            "README.md",
            ".gitattributes",
            "unet/diffusion_pytorch_model.safetensors",
            "unet/diffusion_pytorch_model.bin")
        .forEach(hub.files::remove);
    pull(client());
    Path tree =
        cacheFolder.resolve("models--Owner--small-diffusers/trees/" + FakeHub.COMMIT + ".json");
    String json = Files.readString(tree);
    assertTrue(json.contains("\"lfs_sha256\":\"" + FakeHub.sha256(hub.files.get(SHARD_1))), json);
  }

  @Test
  void modelScopeFillsTheSameCache() throws IOException {
    RepoRevision there = RepoRevision.parse("modelscope://" + FakeHub.REPO);
    HubClient client = client();
    PullPlan plan = client.plan(there, Variant.DEFAULT);
    assertEquals("Apache License 2.0", plan.listing().licence().name());
    Path snapshot = client.pull(plan, PullListener.NONE);
    assertWhole(snapshot);
    assertEquals(
        snapshot.getFileName().toString(),
        Files.readString(cacheFolder.resolve("models--Owner--small-diffusers/refs/master")));
    assertTrue(client.find(there, Variant.DEFAULT).isPresent());
    assertTrue(client.find(MAIN, Variant.DEFAULT).isEmpty());
    hub.requests.forEach(request -> assertEquals("null", request.authorization()));
  }

  @Test
  void removingByTheNameAtModelScopeLeavesTheHubsFiles() throws IOException {
    RepoRevision there = RepoRevision.parse("modelscope://" + FakeHub.REPO);
    HubCache cache = new HubCache(cacheFolder);
    Path snapshot = pull(client());
    assertTrue(cache.remove(there.repo()).isEmpty(), "nothing is from there");
    RepoRevision commit = RepoRevision.parse("modelscope://" + FakeHub.REPO + "@" + FakeHub.COMMIT);
    assertTrue(cache.remove(commit).isEmpty(), "that is the hub's");
    client().pull(client().plan(there, Variant.DEFAULT), PullListener.NONE);
    assertEquals(2, cache.list().getFirst().commits().size());

    assertTrue(cache.remove(there.repo()).isPresent());
    assertWhole(snapshot);
    assertEquals(Map.of("main", FakeHub.COMMIT), cache.list().getFirst().refs());
    assertTrue(client().find(there, Variant.DEFAULT).isEmpty());
    assertTrue(cache.remove(there.repo()).isEmpty(), "nothing is left from there");

    cache.remove(MAIN.repo());
    client().pull(client().plan(there, Variant.DEFAULT), PullListener.NONE);
    assertTrue(cache.remove(there.repo()).orElseThrow() > 700_000);
    assertFalse(Files.exists(cacheFolder.resolve("models--Owner--small-diffusers")));
  }

  /** As Kolors-IP-Adapter-Plus is published, with files of diffusers' that say nothing. */
  @Test
  void anImageAdapterComesWithItsEncoderAndPicklesWhereThereIsNothingElse() throws IOException {
    hub.files.clear();
    hub.text("config.json", "{}");
    hub.text("model_index.json", "{}");
    hub.text("README.md", "not needed");
    hub.text("MODEL_LICENSE", "terms");
    hub.text("ip_adapter_plus_general.bin", "pickle");
    hub.text("image_encoder/config.json", "{\"image_size\": 336}");
    hub.text("image_encoder/pytorch_model.bin", "pickle");
    assertTrue(client().find(MAIN, Variant.DEFAULT).isEmpty());
    assertEquals(
        Set.of(
            "MODEL_LICENSE",
            "image_encoder/config.json",
            "image_encoder/pytorch_model.bin",
            "ip_adapter_plus_general.bin",
            "model_index.json"),
        filesBelow(pull(client())));
    assertTrue(client().find(MAIN, Variant.DEFAULT).isPresent());

    hub.text("ip_adapter_plus_general.safetensors", "tensors");
    hub.text("image_encoder/model.safetensors", "tensors");
    assertEquals(
        Set.of(
            "MODEL_LICENSE",
            "image_encoder/config.json",
            "image_encoder/model.safetensors",
            "ip_adapter_plus_general.safetensors",
            "model_index.json"),
        client().plan(MAIN, Variant.DEFAULT).files().stream()
            .map(RepoFile::path)
            .collect(Collectors.toSet()));

    hub.files.remove("model_index.json");
    hub.files.remove("config.json");
    assertEquals(4, client().plan(MAIN, Variant.DEFAULT).files().size());
    hub.files.keySet().removeIf(path -> path.startsWith("ip_adapter"));
    assertThrows(HubException.class, () -> client().plan(MAIN, Variant.DEFAULT));
  }

  @Test
  void aControlNetIsARepositoryOfOneComponent() throws IOException {
    hub.files.clear();
    hub.text("config.json", "{\"_class_name\": \"ControlNetModel_JQ\"}");
    hub.text("diffusion_pytorch_model.safetensors", "tensors");
    hub.text("README.md", "not needed");
    assertEquals(
        Set.of("config.json", "diffusion_pytorch_model.safetensors"), filesBelow(pull(client())));
  }
}
