package io.github.kolors4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.image.KolorsImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
  @TempDir private Path folder;

  /** Arguments, separated by spaces, and a part of the sentence. */
  private record Wrong(String args, String sentence) {}

  static Stream<Wrong> wrongArguments() {
    return Stream.of(
        new Wrong("", "no command"),
        new Wrong("frobnicate", "frobnicate"),
        new Wrong("generate", "PROMPT"),
        new Wrong("generate --no-such-option x", "--no-such-option"),
        new Wrong("genrate x", "did you mean generate? See kolors --help"),
        new Wrong("batch a.csv --out b --images 2", "Unknown option: '--images': did you mean"),
        new Wrong("generate x --stpes 3", "did you mean --steps?"),
        new Wrong(
            "generate x --guidance=3", "did you mean --guidance-scale or --guidance-rescale?"),
        new Wrong("generate two prompts", "in quotes, as \"two prompts\""),
        new Wrong("generate a red cat --steps 2", "in quotes, as \"a red cat\""),
        new Wrong("tokenize a red cat", "in quotes, as \"a red cat\""),
        new Wrong("generate x --width 0", "width 0"),
        new Wrong("generate x --width -8", "width -8"),
        new Wrong("generate x --width 1001", "use 1000 or 1008"),
        new Wrong("generate x --height 68", "multiple of 8"),
        new Wrong("generate x --height 2147483640 --width 2147483640", "2^31-1"),
        new Wrong("generate x --height 99999999999", "99999999999"),
        new Wrong("generate x --steps 0", "0 inference steps"),
        new Wrong("generate x --steps -3", "-3 inference steps"),
        new Wrong("generate x --steps 1.5", "--steps"),
        new Wrong("generate x --guidance-scale NaN", "NaN"),
        new Wrong("generate x --guidance-scale Infinity", "Infinity"),
        new Wrong("generate x --guidance-scale 1e99", "1e99"),
        new Wrong("generate x --guidance-scale 5f", "5f"),
        new Wrong("generate x --guidance-scale five", "five"),
        new Wrong("generate x --images 0", "0 images"),
        new Wrong("generate x --images 3 --seed 1,2", "2 seeds for 3 images"),
        new Wrong("generate x --seed 1,,2", "1,,2"),
        new Wrong("generate x --seed one", "one"),
        new Wrong("generate x --seed 18446744073709551616", "2^64-1"),
        new Wrong("generate x --seed -9223372036854775809", "64 bits"),
        new Wrong("synthesize --out x --seed 18446744073709551616", "64 bits"),
        new Wrong("generate x --seed 1 --seed 2", "--seed"),
        new Wrong("generate x --threads 0", "0 threads"),
        new Wrong("generate x --threads -1", "-1 threads"),
        new Wrong("generate x --threads 1025", "use 1 to 1024"),
        new Wrong("generate x --variant ../fp16", "../fp16"),
        new Wrong("generate x --scheduler no-such", "no-such"),
        new Wrong("generate x --scheduler-option no_such_key=1", "no_such_key"),
        new Wrong("generate x --scheduler-option use_karras_sigmas", "key=value"),
        new Wrong("generate x --scheduler-option use_karras_sigmas=7", "use_karras_sigmas"),
        new Wrong("generate x --output-type video", "video"),
        new Wrong("generate x --out x.webp", ".png or .jpg"),
        new Wrong("generate x --output-type latent --out x.jpg", ".safetensors"),
        new Wrong("generate x --out x.safetensors", ".png"),
        new Wrong("generate x --output-type latent --out x.png", ".safetensors"),
        new Wrong("generate x --out", "--out"),
        new Wrong("generate x --timesteps 999,1 --sigmas 9,0", "--timesteps and --sigmas"),
        new Wrong("generate x --timesteps 999,1 --steps 2", "--timesteps and --steps"),
        new Wrong("generate x --sigmas 9,0 --steps 1", "--sigmas and --steps"),
        new Wrong("generate x --timesteps 999,,1", "999,,1"),
        new Wrong("generate x --timesteps 9.5", "9.5"),
        new Wrong("generate x --sigmas 9,zero", "zero"),
        new Wrong("generate x --sigmas 9,NaN", "NaN"),
        new Wrong("generate x --denoising-end 1.5", "denoising_end"),
        new Wrong("generate x --denoising-end half", "half"),
        new Wrong("generate x --eta 2", "eta"),
        new Wrong("generate x --eta Infinity", "Infinity"),
        new Wrong("generate x --guidance-rescale -1", "guidance_rescale"),
        new Wrong("generate x --embeds e.safetensors", "both PROMPT"),
        new Wrong("generate --embeds e.safetensors --negative-prompt y", "both --negative-prompt"),
        new Wrong("generate x --max-sequence-length 0", "max sequence length 0"),
        new Wrong("generate x --max-sequence-length 257", "max sequence length 257"),
        new Wrong("generate x --strength 0.5", "--strength without --image"),
        new Wrong("generate x --denoising-start 0.5", "--denoising-start without --image"),
        new Wrong("generate x --image a.png --image b.png", "--image"),
        new Wrong("generate x --image=", "[arguments] --image is empty: "),
        new Wrong(
            "generate x --unet=", "--unet is empty: name a safetensors file or mini-inpainting."),
        new Wrong(
            "generate x --controlnet= --control-image a.png",
            "--controlnet is empty: name a folder with config.json"),
        new Wrong(
            "generate x --ip-adapter mini --ip-adapter-image a.png,",
            "[arguments] --ip-adapter-image \"a.png,\" has an empty name: "),
        new Wrong(
            "generate x --ip-adapter mini --ip-adapter-image=",
            "[arguments] --ip-adapter-image \"\" has an empty name: "),
        new Wrong(
            "generate x --canny --controlnet mini --control-image a.png --controlnet mini"
                + " --control-image b.png",
            "[arguments] --canny before --controlnet: there are several, and each has the options"
                + " behind it. Put it behind its own."),
        new Wrong(
            "generate x --controlnet mini --control-image a.png --control-image b.png --controlnet mini",
            "[arguments] --control-image is there twice for one --controlnet: "),
        new Wrong(
            "generate x --ip-adapter-scale=0.5 --ip-adapter mini --ip-adapter-image a.png"
                + " --ip-adapter mini --ip-adapter-image b.png",
            "[arguments] --ip-adapter-scale before --ip-adapter: "),
        new Wrong("generate x --original-size 1024", "1024"),
        new Wrong("generate x --original-size 0x8", "0x8"),
        new Wrong("generate x --target-size 8*8", "8*8"),
        new Wrong("generate x --target-size 99999999999x8", "99999999999x8"),
        new Wrong("generate x --negative-target-size -8x8", "-8x8"),
        new Wrong("generate x --negative-original-size x", "WIDTHxHEIGHT"),
        new Wrong("generate x --crops-coords-top-left 8", "TOP,LEFT"),
        new Wrong("generate x --crops-coords-top-left 8x8", "TOP,LEFT"),
        new Wrong("generate x --negative-crops-coords-top-left 1,99999999999", "TOP,LEFT"),
        new Wrong("generate x --pag-scale -1", "pag_scale"),
        new Wrong("generate x --pag-adaptive-scale 1", "--pag-adaptive-scale without --pag-scale"),
        new Wrong("generate x --pag-applied-layers mid", "--pag-applied-layers without"),
        new Wrong("generate x --pag-scale 3 --pag-applied-layers mid,,up", "empty layer"),
        new Wrong("generate x --rng mps", "kolors: [random] no generator \"mps\": use one of cpu"),
        new Wrong("generate -- x --steps 2", "'2': nothing behind -- is an option; put it before"),
        new Wrong("generate x --compat torch", "torch"),
        new Wrong("generate x --vae-tiling=maybe", "maybe"),
        new Wrong("schedulers magic", "magic"),
        new Wrong("generate x --json=maybe", "maybe"),
        new Wrong("encode", "PROMPT"),
        new Wrong("encode x", "--out"),
        new Wrong("encode x --out x.safetensors --threads 0", "0 threads"),
        new Wrong("tokenize", "TEXT"),
        new Wrong("inspect", "DIR|FILE"),
        new Wrong("inspect @args", "@args"));
  }

  @ParameterizedTest
  @MethodSource("wrongArguments")
  void wrongArgumentsEndInOneSentenceAndExitCode2(Wrong wrong) {
    String[] args =
        Arrays.stream(wrong.args().split(" ")).filter(arg -> !arg.isEmpty()).toArray(String[]::new);
    boolean isFile = wrong.args().contains("@");
    assertFailed(isFile ? 1 : 2, wrong.sentence(), args);
  }

  static Stream<Wrong> wrongFiles() {
    return Stream.of(
        new Wrong("generate x --model DIR/none", "none"),
        new Wrong("generate x --model DIR", "model_index.json"),
        new Wrong("generate x --out DIR/none/x.png", "none does not exist"),
        new Wrong("generate x --out DIR", "is a folder"),
        new Wrong("generate x --images 2 --out DIR/taken.png", "taken-1.png is a folder"),
        new Wrong("generate x --out DIR/" + "long".repeat(100) + ".png", "cannot be written"),
        new Wrong("generate x --latents DIR/none", "none"),
        new Wrong("generate x --latents DIR/text", "text"),
        new Wrong("generate x --latents DIR/pointer", "pointer: is a Git LFS pointer"),
        new Wrong("generate x --model DIR/models--a--b", "snapshots/0b2: give that folder"),
        new Wrong("tokenize x --model DIR/models--a--b", "snapshots/0b2: give that folder"),
        new Wrong("encode x --model DIR/models--a--b/snapshots --out DIR/x", "snapshots/0b2"),
        new Wrong("generate x --image DIR/none.png", "none.png"),
        new Wrong("generate x --image DIR/text", "text"),
        new Wrong("generate x --image DIR", "folder"),
        new Wrong(
            "generate x --image DIR/none.png", "[image] --image DIR/none.png does not exist: "),
        new Wrong(
            "generate x --image DIR/a.png --mask DIR/none.png", "[image] --mask DIR/none.png"),
        new Wrong("generate x --image DIR/a.png --mask DIR", "[image] --mask DIR is a folder: "),
        new Wrong(
            "generate x --image DIR/a.png --strength-map DIR/none.png",
            "[image] --strength-map DIR"),
        new Wrong(
            "generate x --controlnet mini --control-image DIR/none.png",
            "[image] --control-image DIR/none.png does not exist: "),
        new Wrong(
            "generate x --ip-adapter mini --ip-adapter-image DIR/a.png,DIR/none.png",
            "[image] --ip-adapter-image DIR/none.png does not exist: "),
        new Wrong(
            "generate x --ip-adapter mini --ip-adapter-image DIR/a.png --ip-adapter-mask DIR/none.png",
            "[image] --ip-adapter-mask DIR/none.png does not exist: "),
        new Wrong(
            "generate x --ip-adapter mini --ip-adapter-image DIR/a.png --ip-adapter-image DIR/none.png"
                + " --ip-adapter mini --ip-adapter-image DIR/a.png",
            "[image] --ip-adapter-image DIR/none.png does not exist: "),
        new Wrong(
            "generate x --unet mini-inpaintin",
            "[file] --unet mini-inpaintin does not exist: did you mean mini-inpainting?"),
        new Wrong(
            "generate x --unet DIR/none",
            "none does not exist: name a safetensors file or mini-inpainting."),
        new Wrong("generate x --vae tasd", "--vae tasd does not exist: did you mean taesd?"),
        new Wrong("generate x --preview-vae taed", "--preview-vae taed does not exist: did you"),
        new Wrong("generate x --text-encoder DIR/none", "--text-encoder DIR/none does not exist."),
        new Wrong(
            "generate x --controlnet mni --control-image DIR/a.png",
            "[file] --controlnet mni does not exist: did you mean mini?"),
        new Wrong(
            "generate x --controlnet DIR/none --control-image DIR/a.png",
            "none does not exist: name a folder with config.json and the weights, owner/name or mini."),
        new Wrong(
            "generate x --controlnet DIR/text --control-image DIR/a.png",
            "[file] --controlnet DIR/text is a file: name a folder with config.json"),
        new Wrong(
            "generate x --controlnet DIR --control-image DIR/a.png",
            "[file] --controlnet DIR is a folder without config.json: name a folder"),
        new Wrong(
            "generate x --ip-adapter minni --ip-adapter-image DIR/a.png",
            "[file] --ip-adapter minni does not exist: did you mean mini?"),
        new Wrong("generate --embeds DIR/none", "none"),
        new Wrong("generate --embeds DIR/text", "text"),
        new Wrong("encode x --out DIR/none/x.safetensors", "none does not exist"),
        new Wrong("encode x --model DIR --out DIR/x.safetensors", "model_index.json"),
        new Wrong("tokenize x --model DIR", "tokenizer"),
        new Wrong("inspect DIR/none", "none does not exist"),
        new Wrong("inspect DIR/text", "text"));
  }

  @ParameterizedTest
  @MethodSource("wrongFiles")
  void wrongFilesEndInOneSentenceAndExitCode1(Wrong wrong) throws IOException {
    Files.writeString(folder.resolve("text"), "no safetensors file", StandardCharsets.UTF_8);
    KolorsImage.of(8, 8, new byte[8 * 8 * 3]).save(folder.resolve("a.png"));
    Files.createDirectory(folder.resolve("taken-1.png"));
    Files.createDirectories(folder.resolve("models--a--b/snapshots/0b2"));
    Files.createDirectories(folder.resolve("models--a--b/blobs"));
    Files.writeString(
        folder.resolve("pointer"),
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
    String[] args =
        Arrays.stream(wrong.args().split(" "))
            .map(arg -> arg.replace("DIR", folder.toString()))
            .toArray(String[]::new);
    assertFailed(1, wrong.sentence().replace("DIR", folder.toString()), args);
  }

  private static void assertFailed(int exitCode, String sentence, String... args) {
    Run run = Run.of(args);
    assertEquals(exitCode, run.exitCode(), run.err());
    assertEquals("", run.out());
    assertTrue(run.err().contains(sentence), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith("kolors: ["), run.err());
    String end = run.err().strip();
    assertTrue(end.matches(".*[^.?][.?]") || end.contains("--help"), end);
  }

  @Test
  void anEmptyNameOfAModelIsNotTheFolderOneIsIn() {
    assertFailed(2, "--model is empty", "generate", "x", "--model", "");
    assertFailed(2, "--model is empty", "tokenize", "x", "--model", " ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "LONG",
        "generate x LONG",
        "generate x --steps LONG",
        "generate x --scheduler LONG",
        "generate x --scheduler-option LONG=1",
        "generate x --seed LONG",
        "generate x --output-type LONG",
        "generate LONG --embeds e.safetensors",
        "generate x --variant LONG",
        "generate x --rng LONG",
        "generate x --model LONG",
        "schedulers LONG",
        "inspect LONG",
        "tokenize LONG"
      })
  void noMessageEchoesAnArgumentOfAnyLength(String line) {
    String[] args = line.replace("LONG", "long".repeat(125_000)).split(" ");
    Run run = Run.of(args);
    assertTrue(run.err().length() < 3_000, run.err().length() + " letters");
    assertEquals(1, run.err().lines().count());
  }

  /** Diffusers' Euler does not look, and what it takes we take. */
  @Test
  void stepsThatRiseAreWarnedOf() {
    String rise = Run.of("generate", "x", "--timesteps", "999,1,500", "--model", "/none").err();
    assertTrue(rise.startsWith("kolors: warning: [arguments] --timesteps has 1 before 500:"), rise);
    String flat = Run.of("generate", "x", "--sigmas", "9,0.5,0.5,0", "--model", "/none").err();
    assertTrue(flat.startsWith("kolors: warning: [arguments] --sigmas has 0.5 before 0.5:"), flat);
    for (String falling : List.of("--timesteps=999,500,1", "--sigmas=9,0.5,0")) {
      assertTrue(!Run.of("generate", "x", falling, "--model", "/none").err().contains("warning"));
    }
  }

  @Test
  void aNegativePromptWithoutGuidanceIsWarnedOf() {
    String[] args = {
      "generate", "x", "--negative-prompt", "y", "--guidance-scale", "1", "--model", "/none"
    };
    Run run = Run.of(args);
    assertTrue(
        run.err().startsWith("kolors: warning: [arguments] --negative-prompt has no effect:"),
        run.err());
    args[5] = "1.1";
    assertTrue(!Run.of(args).err().contains("warning"));
  }

  @Test
  void scalesThatAreFarFromWhatIsUsualAreWarnedOfInOneLine() {
    Run far = scaled("-1e9", "style=11", "10.5");
    assertEquals(
        "kolors: warning: [arguments] --lora none=-1e9, --ip-adapter-scale style=11,"
            + " --controlnet-conditioning-scale 10.5: 0 to 1 is usual, and this far from it is"
            + " noise.",
        far.err().lines().findFirst().orElseThrow());
    assertEquals(2, far.err().lines().count(), far.err());
    Run near = scaled("-10", "10", "1");
    assertEquals(1, near.err().lines().count(), near.err());
  }

  /** It ends at the adapter's file, which is not there. */
  private static Run scaled(String lora, String adapter, String net) {
    Run run =
        Run.of(
            "generate",
            "x",
            "--lora=none=" + lora,
            "--ip-adapter=mini",
            "--ip-adapter-image=none.png",
            "--ip-adapter-scale=" + adapter,
            "--controlnet=mini",
            "--control-image=none.png",
            "--controlnet-conditioning-scale=" + net);
    assertEquals(1, run.exitCode(), run.err());
    return run;
  }

  @Test
  void aFolderThatCannotBeWrittenToIsFoundBeforeTheModelIsOpened() {
    // Not by its permissions, which do not bind an administrator.
    Path file = Path.of("/proc/kolors.png");
    if (!Files.isDirectory(file.getParent())) {
      return;
    }
    assertFailed(1, "cannot be written", "generate", "x", "--model", "/none", "--out", "" + file);
  }

  @Test
  void aStackTraceComesOnlyWithVerbose() {
    String[] args = {"generate", "x", "--model", folder.resolve("none").toString()};
    assertTrue(!Run.of(args).err().contains("\tat "));
    String[] verbose = {"generate", "x", "--verbose", "--model", folder.resolve("none").toString()};
    assertTrue(Run.of(verbose).err().contains("\tat "));
    assertTrue(!Run.of("generate", "--steps", "0", "--", "--verbose").err().contains("\tat "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate",
        "estimate",
        "replay",
        "show",
        "doctor",
        "completion",
        "encode",
        "tokenize",
        "inspect",
        "schedulers"
      })
  void helpExplainsEachOption(String command) {
    Run run = Run.of(command, "--help");
    assertEquals(0, run.exitCode());
    assertTrue(run.out().contains("Usage: kolors " + command), run.out());
    assertEquals(run.out(), Run.of("help", command).out());
    assertEquals("", run.err());
  }

  @Test
  void helpOfGenerateHasEveryOptionOfTheContract() {
    String help = Run.of("generate", "--help").out();
    for (String option :
        List.of(
            "--model",
            "--negative-prompt",
            "--width",
            "--height",
            "--steps",
            "--guidance-scale",
            "--scheduler",
            "--scheduler-option",
            "--image",
            "--strength",
            "--denoising-start",
            "--denoising-end",
            "--timesteps",
            "--sigmas",
            "--eta",
            "--original-size",
            "--target-size",
            "--crops-coords-top-left",
            "--negative-original-size",
            "--negative-target-size",
            "--negative-crops-coords-top-left",
            "--pag-scale",
            "--pag-adaptive-scale",
            "--pag-applied-layers",
            "--guidance-rescale",
            "--rng",
            "--vae-tiling",
            "--embeds",
            "--max-sequence-length",
            "--compat",
            "--seed",
            "--images",
            "--latents",
            "--output-type",
            "--out",
            "--threads",
            "--variant",
            "--json",
            "--verbose")) {
      assertTrue(help.contains(option + " ") || help.contains(option + "="), option);
    }
  }

  @Test
  void theVersionIsTheOneOfTheBuild() {
    Run run = Run.of("--version");
    assertEquals(0, run.exitCode());
    assertTrue(run.out().matches("kolors4j \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?\\R"), run.out());
  }
}
