package io.github.kolors4j.batch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.prompts.PromptCache;
import io.github.kolors4j.request.CancellationToken;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import io.github.kolors4j.request.Stage;
import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Tables of requests on the mini checkpoint, at 16 by 16 pixels and 2 steps. */
class KolorsBatchTest {
  private static final Map<String, Object> SMALL =
      Map.of("width", 16, "height", 16, "num_inference_steps", 2);

  private static KolorsPipeline pipeline;
  @TempDir private Path folder;

  @BeforeAll
  static void open() throws IOException {
    pipeline = KolorsPipeline.open(MiniCheckpoint.directory());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private Path out() {
    return folder.resolve("out");
  }

  private KolorsBatch.Builder batch() {
    return KolorsBatch.builder(pipeline, out()).defaults(SMALL);
  }

  private BatchTable table(String... lines) throws IOException {
    return BatchTable.read(
        Files.writeString(folder.resolve("table.jsonl"), String.join("\n", lines)));
  }

  private static Map<String, JsonObject> manifest(Path directory) throws IOException {
    Map<String, JsonObject> lines = new LinkedHashMap<>();
    for (String line : Files.readAllLines(directory.resolve("manifest.jsonl"))) {
      JsonObject entry = JsonParser.parseString(line).getAsJsonObject();
      assertNull(lines.put(entry.get("id").getAsString(), entry), "a row has one line: " + line);
    }
    return lines;
  }

  /** Name and bytes of all files. */
  private static Map<String, String> files(Path directory) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> listed = Files.list(directory)) {
      for (Path file : listed.toList()) {
        files.put(file.getFileName().toString(), sha256(Files.readAllBytes(file)));
      }
    }
    return files;
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aPictureHasTheBytesThatTheSameRequestHasAlone() throws IOException {
    BatchSummary summary =
        batch()
            .build()
            .run(
                table(
                    "{\"id\": \"a\", \"prompt\": \"一只瓢虫\", \"seed\": 7, \"guidance_scale\": 3}",
                    "{\"id\": \"b\", \"prompt\": \"a cup\", \"seed\": 18446744073709551615,"
                        + " \"scheduler\": \"dpmsolver++\","
                        + " \"scheduler_options\": {\"use_karras_sigmas\": true}}"));
    assertEquals(2, summary.made());
    JsonObject a = manifest(out()).get("a");
    ImageRequest request =
        ImageRequest.builder("一只瓢虫")
            .negativePrompt("")
            .seed(7)
            .guidanceScale(3)
            .size(16, 16)
            .numInferenceSteps(2)
            .build();
    ImageResult alone = pipeline.generate(request);
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    alone.image().writeTo(png, ImageFormat.PNG, pipeline.metadata(alone, 0).texts());
    byte[] file = Files.readAllBytes(out().resolve(a.get("file").getAsString()));
    assertArrayEquals(png.toByteArray(), file);
    assertEquals(sha256(file), a.get("sha256").getAsString());
    assertEquals(file.length, a.get("bytes").getAsInt());

    JsonObject b = manifest(out()).get("b");
    assertEquals("18446744073709551615", b.get("seed").getAsString());
    PictureMetadata made =
        PictureMetadata.read(out().resolve(b.get("file").getAsString())).orElseThrow();
    assertEquals("DPMSolverMultistepScheduler", made.schedulerClass());
    assertTrue(made.scheduler().flag("use_karras_sigmas"));
    assertEquals("DPMSolverMultistepScheduler", b.get("scheduler").getAsString());
  }

  @Test
  void anotherColumnIsCarriedAndOneThatTheManifestHasItselfIsRenamed() throws IOException {
    BatchSummary summary =
        batch().build().run(table("{\"prompt\": \"x\", \"group\": \"red\", \"file\": \"old\"}"));
    JsonObject line = manifest(out()).get("1");
    assertEquals("red", line.get("group").getAsString());
    assertEquals("old", line.get("row_file").getAsString());
    assertTrue(Files.exists(out().resolve(line.get("file").getAsString())));
    assertEquals(16, line.get("width").getAsInt());
    assertEquals(2, line.get("num_inference_steps").getAsInt());
    assertEquals(List.of("file"), summary.columns(), "a group has a meaning");
    assertTrue(line.getAsJsonObject("timings").get("denoise").getAsDouble() > 0);
  }

  @Test
  void aRowThatCannotBeMadeIsALineWithASentenceAndNotAnEnd() throws IOException {
    BatchSummary summary =
        batch()
            .build()
            .run(
                table(
                    "{\"id\": \"size\", \"prompt\": \"x\", \"width\": 17}",
                    "{\"id\": \"none\"}",
                    "{\"id\": \"torn\"",
                    "{\"id\": \"scheduler\", \"prompt\": \"x\", \"scheduler\": \"nobody\"}",
                    "{\"id\": \"image\", \"prompt\": \"x\", \"image\": \"missing.png\"}",
                    "{\"id\": \"many\", \"prompt\": \"x\", \"num_images_per_prompt\": 2}",
                    "{\"id\": \"several\", \"prompt\": [\"x\", \"y\"]}",
                    "{\"id\": \"steps\", \"prompt\": \"x\", \"num_inference_steps\": \"many\"}",
                    "{\"id\": \"good\", \"prompt\": \"x\"}"));
    assertEquals(8, summary.failed());
    assertEquals(1, summary.made());
    Map<String, JsonObject> lines = manifest(out());
    assertSays(lines, "size", "[request] width 17 is not a multiple of 8");
    assertSays(lines, "none", "[batch] the row has no prompt");
    assertSays(lines, "3", "[batch] row 3, line 3, ends in the middle");
    assertSays(lines, "scheduler", "[scheduler] no scheduler \"nobody\"");
    assertSays(lines, "image", "missing.png does not exist");
    assertSays(lines, "many", "asks for 2 pictures: a row is one picture");
    assertSays(lines, "several", "a row is one picture, and its prompt one text");
    assertSays(lines, "steps", "num_inference_steps is \"many\"");
    assertTrue(lines.get("good").get("error").isJsonNull());
    assertTrue(lines.get("size").get("file").isJsonNull());
    assertEquals("x", lines.get("size").get("prompt").getAsString());
  }

  private static void assertSays(Map<String, JsonObject> lines, String id, String sentence) {
    String error = lines.get(id).get("error").getAsString();
    assertTrue(error.contains(sentence), id + ": " + error);
  }

  @Test
  void twoRowsOfOneIdAreRefusedBeforeAnythingIsMade() throws IOException {
    BatchTable table =
        table("{\"prompt\": \"x\"}", "{\"id\": \"a\", \"prompt\": \"x\"}", "{\"id\": \"1\"}");
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> batch().build().run(table));
    assertTrue(e.getMessage().contains("rows 1 and 3 have the id 1"), e.getMessage());
    assertFalse(Files.exists(out().resolve("manifest.jsonl")) && !manifest(out()).isEmpty());
  }

  @Test
  void aSeedThatNobodyGaveDependsOnTheIdAloneAndStays() throws IOException {
    BatchTable table =
        table("{\"id\": \"a\", \"prompt\": \"x\"}", "{\"id\": \"b\", \"prompt\": \"x\"}");
    batch().build().run(table);
    long a = manifest(out()).get("a").get("seed").getAsLong();
    // The definition that RequestReader gives.
    String digits =
        sha256("kolors4j batch seed\na\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertEquals(Long.parseLong(digits.substring(0, 8), 16), a);
    assertNotEquals(a, manifest(out()).get("b").get("seed").getAsLong());
  }

  @Test
  void cancelledAndStartedAgainItGoesOnWithTheSameBytes() throws IOException {
    String[] rows =
        Stream.of("a", "b", "c", "d")
            .map(id -> "{\"id\": \"%s\", \"prompt\": \"%s\"}".formatted(id, id))
            .toArray(String[]::new);
    BatchTable table = table(rows);
    KolorsBatch.builder(pipeline, folder.resolve("whole")).defaults(SMALL).build().run(table);

    CancellationToken token = new CancellationToken();
    List<String> told = new ArrayList<>();
    KolorsBatch cancelled =
        batch()
            .cancellation(token)
            .listener(
                new BatchListener() {
                  @Override
                  public void onRow(Row row) {
                    told.add(row.id());
                    if (told.size() == 2) {
                      token.cancel();
                    }
                  }
                })
            .build();
    assertThrows(CancellationException.class, () -> cancelled.run(table));
    assertEquals(List.of("a", "b"), List.copyOf(manifest(out()).keySet()));

    BatchSummary rest = batch().build().run(table);
    assertEquals(2, rest.made());
    assertEquals(2, rest.kept());
    assertEquals(withoutManifest(folder.resolve("whole")), withoutManifest(out()));
    assertEquals(List.of("a", "b", "c", "d"), List.copyOf(manifest(out()).keySet()));

    Map<String, String> before = files(out());
    assertEquals(4, batch().build().run(table).kept());
    assertEquals(before, files(out()), "a third time nothing changes");
  }

  private static Map<String, String> withoutManifest(Path directory) throws IOException {
    Map<String, String> files = files(directory);
    files.remove("manifest.jsonl");
    return files;
  }

  /** Each state that a killed process can leave. */
  @Test
  void whateverAKilledRunLeftIsHealed() throws IOException {
    BatchTable table =
        table(
            "{\"id\": \"a\", \"prompt\": \"a\"}",
            "{\"id\": \"b\", \"prompt\": \"b\"}",
            "{\"id\": \"c\", \"prompt\": \"c\"}");
    batch().build().run(table);
    final Map<String, String> pictures = withoutManifest(out());
    Path manifest = out().resolve("manifest.jsonl");
    List<String> lines = Files.readAllLines(manifest);
    // Half of the last line, in the middle of a picture; the picture of b has vanished.
    Files.writeString(
        manifest, lines.get(0) + "\n" + lines.get(1) + "\n" + lines.get(2).substring(0, 40));
    Files.write(out().resolve(".x.png.part"), new byte[] {1, 2});
    Files.delete(
        out()
            .resolve(
                JsonParser.parseString(lines.get(1)).getAsJsonObject().get("file").getAsString()));

    BatchSummary again = batch().build().run(table);
    assertEquals(1, again.made());
    assertEquals(2, again.kept(), "c was written, though its line was not");
    assertEquals(pictures, withoutManifest(out()));
    Map<String, JsonObject> healed = manifest(out());
    assertEquals(List.of("a", "b", "c"), healed.keySet().stream().sorted().toList());
    assertEquals(
        pictures.get(healed.get("c").get("file").getAsString()),
        healed.get("c").get("sha256").getAsString());
  }

  /** As after a power cut, which can leave a name without its bytes, and after a disk's fault. */
  @Test
  void aPictureThatIsNotWhatItWasIsMadeAgain() throws IOException {
    BatchTable table =
        table(
            "{\"id\": \"a\", \"prompt\": \"a\"}",
            "{\"id\": \"b\", \"prompt\": \"b\"}",
            "{\"id\": \"c\", \"prompt\": \"c\"}",
            "{\"id\": \"d\", \"prompt\": \"d\"}");
    batch().build().run(table);
    final Map<String, String> pictures = withoutManifest(out());
    final Map<String, JsonObject> lines = manifest(out());
    Path manifest = out().resolve("manifest.jsonl");
    Files.writeString(manifest, Files.readAllLines(manifest).getFirst() + "\n");
    damage(lines.get("a"), bytes -> bytes[bytes.length / 2] ^= 1);
    Files.write(picture(lines.get("b")), new byte[0]);
    Files.write(
        picture(lines.get("c")), Arrays.copyOf(Files.readAllBytes(picture(lines.get("c"))), 60));

    BatchSummary again = batch().build().run(table);
    assertEquals(3, again.made());
    assertEquals(1, again.kept(), "d is whole, though its line is lost");
    assertEquals(pictures, withoutManifest(out()));
    JsonObject adopted = manifest(out()).get("d");
    lines.get("d").remove("timings");
    assertEquals(lines.get("d"), adopted);
  }

  private Path picture(JsonObject line) {
    return out().resolve(line.get("file").getAsString());
  }

  private void damage(JsonObject line, Consumer<byte[]> fault) throws IOException {
    byte[] bytes = Files.readAllBytes(picture(line));
    fault.accept(bytes);
    Files.write(picture(line), bytes);
  }

  @Test
  void aLineHasAllArgumentsWithTheirDefaults() throws IOException {
    batch().build().run(table("{\"id\": \"a\", \"prompt\": \"x\", \"guidance_scale\": 2}"));
    JsonObject line = manifest(out()).get("a");
    assertEquals(2, line.get("guidance_scale").getAsDouble());
    assertEquals(0, line.get("eta").getAsDouble());
    assertEquals("cpu", line.get("rng").getAsString());
    assertEquals(256, line.get("max_sequence_length").getAsInt());
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    BatchTable table = table("{\"prompt\": \"x\"}");
    assertSentence(
        "[batch] the folder " + file.resolve("out") + " cannot be made (",
        () -> KolorsBatch.builder(pipeline, file.resolve("out")).build().run(table));
    Path manifest = Files.createDirectories(out().resolve("manifest.jsonl"));
    assertSentence(
        "[batch] " + manifest + " is a folder: choose another one to write to.",
        () -> batch().build().run(table));
  }

  private static void assertSentence(String begin, Executable run) {
    String message = assertThrows(IOException.class, run).getMessage();
    assertTrue(message.startsWith(begin), message);
  }

  @Test
  void aRowThatWasChangedIsMadeAgainAndHasOneLine() throws IOException {
    batch()
        .build()
        .run(table("{\"id\": \"a\", \"prompt\": \"x\"}", "{\"id\": \"b\", \"prompt\": \"\"}"));
    String first = manifest(out()).get("a").get("file").getAsString();
    BatchSummary changed =
        batch()
            .build()
            .run(table("{\"id\": \"a\", \"prompt\": \"y\"}", "{\"id\": \"b\", \"prompt\": \"\"}"));
    assertEquals(1, changed.made());
    assertEquals("y", manifest(out()).get("a").get("prompt").getAsString());
    assertNotEquals(first, manifest(out()).get("a").get("file").getAsString());
  }

  @Test
  void anErrorIsTriedAgainTheNextTime() throws IOException {
    BatchTable table = table("{\"prompt\": \"x\", \"image\": \"late.png\", \"strength\": 0.5}");
    assertEquals(1, batch().build().run(table).failed());
    KolorsImage.of(16, 16, new byte[16 * 16 * 3]).save(folder.resolve("late.png"));
    assertEquals(1, batch().build().run(table).made());
    JsonObject line = manifest(out()).get("1");
    assertEquals("late.png", line.get("image").getAsString());
    assertTrue(line.get("error").isJsonNull());
  }

  @Test
  void aPictureToBeginWithIsPartOfWhatWasAskedFor() throws IOException {
    BatchTable table = table("{\"prompt\": \"x\", \"image\": \"a.png\", \"strength\": 1}");
    KolorsImage.of(16, 16, new byte[16 * 16 * 3]).save(folder.resolve("a.png"));
    batch().build().run(table);
    String first = manifest(out()).get("1").get("request").getAsString();
    byte[] white = new byte[16 * 16 * 3];
    java.util.Arrays.fill(white, (byte) -1);
    KolorsImage.of(16, 16, white).save(folder.resolve("a.png"));
    assertEquals(1, batch().build().run(table).made());
    assertNotEquals(first, manifest(out()).get("1").get("request").getAsString());
  }

  @Test
  void theTextsOfManyRowsAreEncodedBeforeTheirPicturesAndOnlyOnce() throws IOException {
    BatchTable table =
        table(
            "{\"id\": \"a\", \"prompt\": \"x\"}",
            "{\"id\": \"b\", \"prompt\": \"y\"}",
            "{\"id\": \"c\", \"prompt\": \"x\", \"seed\": 3}");
    List<Stage> stages = new ArrayList<>();
    try (KolorsPipeline remembering =
        KolorsPipeline.builder(MiniCheckpoint.directory())
            .promptCache(PromptCache.at(folder.resolve("prompts")))
            .open()) {
      KolorsBatch.builder(remembering, out())
          .defaults(SMALL)
          .listener(
              new BatchListener() {
                @Override
                public void onProgress(BatchProgress progress) {
                  progress
                      .current()
                      .filter(current -> current.step() > 0)
                      .ifPresent(current -> stages.add(current.stage()));
                }
              })
          .build()
          .run(table);
      // x, y and the empty negative prompt, together
      assertEquals(Stage.TEXT, stages.getFirst());
      assertEquals(
          0,
          remembering.encodeAhead(
              List.of(ImageRequest.builder("x").negativePrompt("").size(16, 16).build()),
              io.github.kolors4j.request.RunControl.NONE));
    }
    KolorsBatch.builder(pipeline, folder.resolve("plain")).defaults(SMALL).build().run(table);
    assertEquals(withoutManifest(folder.resolve("plain")), withoutManifest(out()));
  }

  @Test
  void aFolderBelongsToOneBatchAtATime() throws IOException {
    BatchTable table = table("{\"prompt\": \"x\"}");
    List<String> refusals = new ArrayList<>();
    batch()
        .listener(
            new BatchListener() {
              @Override
              public void onRow(Row row) {
                refusals.add(
                    assertThrows(IOException.class, () -> batch().build().run(table)).getMessage());
              }
            })
        .build()
        .run(table);
    assertTrue(refusals.getFirst().contains("another batch is writing to"), refusals.toString());
    assertEquals(2, files(out()).size(), "the lock's file is gone: " + files(out()));
  }

  @Test
  void anIdThatCannotBeAFilesNameStillHasAFile() throws IOException {
    batch()
        .build()
        .run(
            table(
                "{\"id\": \"../a/b:c*\", \"prompt\": \"x\"}",
                "{\"id\": \".._a_b_c_\", \"prompt\": \"x\"}",
                "{\"id\": \"%s\", \"prompt\": \"x\"}".formatted("图".repeat(150))));
    Map<String, JsonObject> lines = manifest(out());
    assertEquals(3, lines.size());
    for (JsonObject line : lines.values()) {
      String file = line.get("file").getAsString();
      assertEquals(Path.of(file), Path.of(file).getFileName());
      assertFalse(file.startsWith("."));
      assertTrue(Files.isRegularFile(out().resolve(file)), file);
    }
    assertEquals(3, lines.values().stream().map(line -> line.get("file")).distinct().count());
  }

  @Test
  void aManifestThatSomebodyAppendedRubbishToIsReadAllTheSame() throws IOException {
    BatchTable table = table("{\"id\": \"a\", \"prompt\": \"x\"}");
    batch().build().run(table);
    Files.writeString(
        out().resolve("manifest.jsonl"), "\u0000\u0000\n[1]\n", StandardOpenOption.APPEND);
    assertEquals(1, batch().build().run(table).kept());
    assertEquals(1, manifest(out()).size());
  }

  @Test
  void theReportIsOnePageWithEveryPictureAndEveryError() throws IOException {
    batch()
        .build()
        .run(
            table(
                "{\"prompt\": \"<b>&\", \"guidance_scale\": 1, \"group\": \"g\"}",
                "{\"prompt\": \"<b>&\", \"guidance_scale\": 5, \"group\": \"g\"}",
                "{\"prompt\": \"y\", \"width\": 3}"));
    String page = Files.readString(BatchReport.write(out()));
    assertEquals(2, page.split("<img ", -1).length - 1);
    assertEquals(2, page.split("data:image/jpeg;base64,", -1).length - 1);
    assertTrue(page.contains("[request] width 3 is not a multiple of 8"), page);
    assertFalse(page.contains("<b>"), "texts of rows are no markup");
    assertFalse(page.contains("{{"), page);
    assertFalse(page.contains("http:") || page.contains("https:"), "nothing is loaded");
    assertTrue(page.contains("2 pictures, 1 errors"), page);
    assertTrue(page.contains("&quot;guidance_scale&quot;"), page);
  }

  @Test
  void theReportHasTheTablesOrderAndSaysWhichPictureIsDamaged() throws IOException {
    batch()
        .build()
        .run(
            table(
                "{\"id\": \"a\", \"prompt\": \"x\", \"negative_prompt\": \"blue\"}",
                "{\"id\": \"b\", \"prompt\": \"x\", \"width\": 3}",
                "{\"id\": \"c\", \"prompt\": \"x\"}",
                "{\"id\": \"d\", \"prompt\": \"x\"}"));
    Map<String, JsonObject> lines = manifest(out());
    damage(lines.get("a"), bytes -> bytes[bytes.length / 2] ^= 1);
    Files.delete(picture(lines.get("c")));
    String page = Files.readString(BatchReport.write(out()));
    assertEquals(1, page.split("<img ", -1).length - 1);
    assertEquals(3, page.split("<div class=\"error\">", -1).length - 1);
    assertTrue(page.contains(picture(lines.get("a")) + " is damaged"), page);
    assertTrue(page.contains(picture(lines.get("c")) + " "), page);
    List<Integer> places =
        Stream.of("a, seed", "b", "c, seed", "d, seed")
            .map(caption -> page.indexOf("<figcaption>" + caption))
            .toList();
    assertEquals(places.stream().sorted().toList(), places);
    assertTrue(places.getFirst() > 0, page);
    assertTrue(page.contains("<span class=\"others\">negative_prompt blue</span>"), page);
  }
}
