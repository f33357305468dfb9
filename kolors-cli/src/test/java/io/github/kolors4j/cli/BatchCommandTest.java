package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class BatchCommandTest {
  private static final List<String> SMALL =
      List.of("--width", "16", "--height", "16", "--max-sequence-length", "8");

  @TempDir private Path folder;

  /** Of the process that was started last. */
  private Path log;

  private Path out() {
    return folder.resolve("out");
  }

  private String[] arguments(Path table, Path out, String... more) {
    List<String> args = new ArrayList<>(List.of("batch", table.toString()));
    args.addAll(List.of("--out", out.toString()));
    args.addAll(SMALL);
    if (!List.of(more).contains("--steps")) {
      args.addAll(List.of("--steps", "2"));
    }
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  private Run batch(Path table, String... more) {
    return Run.of(arguments(table, out(), more));
  }

  private Path csv(String text) throws IOException {
    return Files.writeString(folder.resolve("table.csv"), text);
  }

  private static List<JsonObject> manifest(Path directory) throws IOException {
    return Files.readAllLines(directory.resolve("manifest.jsonl")).stream()
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .toList();
  }

  private static Map<String, List<Byte>> pictures(Path directory) throws IOException {
    Map<String, List<Byte>> pictures = new TreeMap<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".png")).toList()) {
        List<Byte> bytes = new ArrayList<>();
        for (byte each : Files.readAllBytes(file)) {
          bytes.add(each);
        }
        pictures.put(file.getFileName().toString(), bytes);
      }
    }
    return pictures;
  }

  @Test
  void aRowHasTheBytesThatGenerateWrites() throws IOException {
    Run run =
        batch(
            csv(
                "id,prompt,seed,guidance_scale,group,shop\n"
                    + "bug,\"一只瓢虫,蓝色背景\",7,3,red,A\ncup,cup,,,blue,B\n"),
            "--scheduler",
            "unipc");
    assertEquals(0, run.exitCode(), run.err());
    List<JsonObject> lines = manifest(out());
    assertEquals(2, run.out().lines().count());
    Path bug = out().resolve(lines.get(0).get("file").getAsString());
    assertEquals(bug.toString(), run.out().lines().findFirst().orElseThrow());
    assertEquals("red", lines.get(0).get("group").getAsString());
    assertTrue(run.err().contains("carried along, as no argument is called so: shop\n"), run.err());

    Path alone = folder.resolve("alone.png");
    List<String> generate = new ArrayList<>(List.of("generate", "一只瓢虫,蓝色背景"));
    generate.addAll(List.of("--seed", "7", "--guidance-scale", "3", "--scheduler", "unipc"));
    generate.addAll(SMALL);
    generate.addAll(List.of("--steps", "2"));
    generate.addAll(List.of("--out", alone.toString()));
    Run.of(generate.toArray(String[]::new));
    assertArrayEquals(Files.readAllBytes(alone), Files.readAllBytes(bug));
  }

  @Test
  void aRowWithAnErrorIsExitCode1AndTheOthersAreThere() throws IOException {
    Run run = batch(csv("prompt,width\nx,16\nx,17\nx,24\n"), "--json");
    assertEquals(1, run.exitCode(), run.err());
    JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
    assertEquals(3, json.get("rows").getAsInt());
    assertEquals(2, json.get("made").getAsInt());
    assertEquals(1, json.get("failed").getAsInt());
    assertTrue(run.err().contains("kolors: row 2: [request] width 17 is not a multiple of 8"));
    assertEquals(2, pictures(out()).size());
  }

  @Test
  void theFolderHasPicturesManifestAndReportAndNothingElse() throws IOException {
    Run run = batch(csv("prompt\nx\n"), "--report", "--json");
    assertEquals(0, run.exitCode(), run.err());
    try (Stream<Path> files = Files.list(out())) {
      assertEquals(
          List.of("1", "manifest.jsonl", "report.html"),
          files
              .map(file -> file.getFileName().toString().replaceFirst("^1-.*\\.png$", "1"))
              .sorted()
              .toList());
    }
    assertEquals(out().resolve("report.html").toString(), run.json().get("report").getAsString());
  }

  @Test
  void whatIsWrongWithArgumentsIsExitCode2AndWhatIsWrongWithTheTableIs1() throws IOException {
    Path table = csv("prompt\nx\n");
    assertEquals(2, Run.of("batch", table.toString()).exitCode(), "no --out");
    assertEquals(2, batch(table, "--scheduler", "nobody").exitCode());
    assertEquals(2, batch(table, "--width", "17").exitCode());
    assertEquals(2, batch(table, "--guidance-scale", "much").exitCode());
    assertFalse(Files.exists(out().resolve("manifest.jsonl")));
    assertEquals(1, batch(folder.resolve("missing.csv")).exitCode());
    Run twice = batch(csv("prompt,id\nx,a\ny,a\n"), "--model", "/none");
    assertEquals(1, twice.exitCode());
    assertTrue(twice.err().contains("rows 1 and 2 have the id a: give each"), twice.err());
    Run number = batch(csv("prompt,id\nx,2\ny,\n"), "--model", "/none");
    assertTrue(
        number.err().contains("the id 2 (a row without one has its number): give"), number.err());
  }

  @Test
  void schedulerOptionsAddUpAndEachIsGivenOnce() throws IOException {
    Path table = csv("prompt\nx\n");
    String option = "--scheduler-option";
    Run both = batch(table, option, "use_karras_sigmas=true", option, "beta_start=0.001");
    assertEquals(0, both.exitCode(), both.err());
    JsonObject options = manifest(out()).getFirst().getAsJsonObject("scheduler_options");
    assertTrue(options.get("use_karras_sigmas").getAsBoolean());
    assertEquals(0.001, options.get("beta_start").getAsDouble());
    Run twice = batch(table, option, "beta_start=0.001", option, "beta_start=0.002");
    assertEquals(2, twice.exitCode());
    assertTrue(twice.err().contains("--scheduler-option beta_start is given twice"), twice.err());
  }

  @Test
  void filesThatTheCommandLineNamesAreThoseOfRowsThatNameNone() throws IOException {
    Path made = folder.resolve("made");
    String mini = MiniCheckpoint.directory().toString();
    Run synthesized =
        Run.of("synthesize", "--config", mini, "--parts", "controlnet", "--out", made.toString());
    assertEquals(0, synthesized.exitCode(), synthesized.err());
    byte[] rgb = new byte[16 * 16 * 3];
    for (String name : List.of("a", "b")) {
      Arrays.fill(rgb, (byte) name.charAt(0));
      KolorsImage.of(16, 16, rgb).save(folder.resolve(name + ".png"));
    }
    Path table = csv("id,prompt,control_image\nown,x,b.png\nfirst,x,\n");
    String net = made.resolve("controlnet").toString();
    String image = folder.resolve("a.png").toString();
    String scale = "--controlnet-conditioning-scale";
    Run run = batch(table, "--controlnet", net, "--control-image", image, scale, "0.5");
    assertEquals(0, run.exitCode(), run.err());
    List<JsonObject> lines = manifest(out());
    assertEquals("b.png", lines.get(0).get("control_image").getAsString());
    assertEquals(image, lines.get(1).get("control_image").getAsString());
    assertEquals(0.5, lines.get(1).get("controlnet_conditioning_scale").getAsDouble());
    assertEquals(
        2,
        batch(table, "--controlnet", net, "--controlnet", net, "--control-image", image)
            .exitCode());
  }

  @Test
  void extensionsOfRowsAreCalledAsTheOptionsCallThem() throws IOException {
    byte[] rgb = new byte[16 * 16 * 3];
    Arrays.fill(rgb, 0, rgb.length / 2, (byte) 200);
    KolorsImage.of(16, 16, rgb).save(folder.resolve("a.png"));
    Run run =
        batch(
            csv(
                "id,prompt,controlnet,control_image,canny,ip_adapter,ip_adapter_image\n"
                    + "plain,x,mini,a.png,false,,\nedges,x,mini,a.png,true,,\n"
                    + "like,x,,,,mini,a.png\naway,x,Owner/none-such,a.png,,,\n"),
            "--seed=1");
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("row away: [hub] Owner/none-such is no folder"), run.err());
    Map<String, List<Byte>> pictures = pictures(out());
    assertEquals(3, pictures.size());
    assertEquals(3, pictures.values().stream().distinct().count());

    Path alone = folder.resolve("alone.png");
    List<String> generate = new ArrayList<>(List.of("generate", "x", "--seed=1", "--steps=2"));
    generate.addAll(SMALL);
    generate.addAll(List.of("--controlnet=mini", "--control-image=" + folder.resolve("a.png")));
    generate.addAll(List.of("--canny", "--out=" + alone));
    Run.of(generate.toArray(String[]::new));
    String file =
        manifest(out()).stream()
            .filter(line -> line.get("id").getAsString().equals("edges"))
            .findFirst()
            .orElseThrow()
            .get("file")
            .getAsString();
    assertArrayEquals(Files.readAllBytes(alone), Files.readAllBytes(out().resolve(file)));

    // the option, for all rows: the same hash, so that the picture is kept
    Path table = csv("id,prompt,control_image\nedges,x,a.png\n");
    Run again = batch(table, "--seed=1", "--controlnet=mini", "--canny", "--json");
    assertEquals(0, again.exitCode(), again.err());
    assertEquals(1, again.json().get("kept").getAsInt(), again.out());
  }

  @Test
  void helpSaysTheStrengthThatARowGetsAndAMaskMayBeBlurred() throws IOException {
    String help = Run.of("batch", "--help").out().replaceAll("\\s+", " ");
    assertTrue(help.contains("Default: 0.3, with a mask 0.9999."), help);
    byte[] white = new byte[16 * 16 * 3];
    Arrays.fill(white, (byte) 255);
    KolorsImage.of(16, 16, white).save(folder.resolve("a.png"));
    Path table =
        csv("id,prompt,image,mask_image,mask_blur\nplain,x,a.png,,\nmasked,x,a.png,a.png,2.0\n");
    Run run = batch(table, "--steps", "4");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(2, manifest(out()).getLast().get("mask_blur").getAsDouble());
  }

  @Test
  void interruptedItIsExitCode130() throws IOException {
    Interruption interruption = new Interruption();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ByteArrayOutputStream results =
        new ByteArrayOutputStream() {
          @Override
          public synchronized void write(byte[] bytes, int offset, int length) {
            super.write(bytes, offset, length);
            interruption.token().cancel(); // when the first picture is there
          }
        };
    Terminal terminal =
        new Terminal(
            new PrintStream(results, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    Path table = csv("prompt\nx\ny\nz\n");
    assertEquals(130, KolorsCommand.run(terminal, interruption, arguments(table, out())));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("the same call goes on"));
    assertEquals(1, pictures(out()).size());
    assertEquals(0, batch(table).exitCode());
    assertEquals(3, manifest(out()).size());
  }

  /**
   * First by Ctrl-C, then as by a machine that loses its power, each in the middle of something.
   */
  @Test
  @Timeout(300)
  void anInterruptedProcessAndAKilledOneLoseNothingButThePictureThatTheyWereMaking()
      throws Exception {
    StringBuilder text = new StringBuilder("id,prompt\n");
    for (int i = 0; i < 12; i++) {
      text.append("row ").append(i).append(",prompt ").append(i % 3).append('\n');
    }
    Path table = csv(text.toString());
    Path whole = folder.resolve("whole");
    assertEquals(0, Run.of(arguments(table, whole, "--steps", "4")).exitCode());

    Process interrupted = startUntil(2, table);
    new ProcessBuilder("kill", "-INT", Long.toString(interrupted.pid())).start().waitFor();
    assertEquals(130, interrupted.waitFor());
    assertTrue(Files.readString(log).contains("pictures are made; the same call goes on."));
    startUntil(6, table).destroyForcibly().waitFor();
    int before = pictures(out()).size();
    assertTrue(before < 12, "some are missing");
    Run rest = batch(table, "--steps", "4", "--json");
    assertEquals(before, rest.json().get("kept").getAsInt());
    assertEquals(pictures(whole), pictures(out()));
    assertEquals(
        manifest(whole).stream().map(BatchCommandTest::known).sorted().toList(),
        manifest(out()).stream().map(BatchCommandTest::known).sorted().toList());
  }

  /** A process in the middle of the table. */
  private Process startUntil(int pictures, Path table) throws Exception {
    Process process = start(arguments(table, out(), "--steps", "4"));
    while (process.isAlive() && count(out()) < pictures) {
      Thread.sleep(5);
    }
    assertTrue(process.isAlive(), "before its end");
    return process;
  }

  private static long count(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(each -> each.toString().endsWith(".png")).count();
    }
  }

  private static String known(JsonObject line) {
    return line.get("id") + " " + line.get("file") + " " + line.get("sha256") + line.get("error");
  }

  private Process start(String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector", "-Dkolors4j.relaunch=false"));
    command.add("-cp");
    command.add(
        Stream.of("java.class.path", "jdk.module.path")
            .flatMap(key -> Stream.of(System.getProperty(key, "").split(File.pathSeparator)))
            .filter(entry -> !entry.isEmpty())
            .distinct()
            .collect(Collectors.joining(File.pathSeparator)));
    command.add(Main.class.getName());
    command.addAll(Arrays.asList(args));
    log = Files.createTempFile(folder, "log", ".txt");
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }
}
