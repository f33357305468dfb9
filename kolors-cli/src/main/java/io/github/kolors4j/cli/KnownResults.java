package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.cli.DoctorCommand.Finding;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.RunControl;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.random.GeneratorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * Small results that are known, one a part of the way from a prompt to a picture, on the mini
 * checkpoint: which of them is the first to be wrong says where to look.
 */
final class KnownResults {
  private static final int SIDE = 16;

  /** With some of padding, as any prompt has. Of 256 the compilers take half a second more. */
  private static final int TOKENS = 8;

  private static final String PROMPT = "一只瓢虫";
  private static final String WRONG =
      "the result is wrong: please report it, with all of this output; until then trust no picture"
          + " of this machine";

  /** The mini checkpoint's own tokenizer, by SentencePiece in Python. */
  private static final int[] IDS = {413, 1060};

  /** Three of 1,100 training steps, from the end, and one further: diffusers' "leading". */
  private static final float[] TIMESTEPS = {733, 367, 1};

  /** {@code torch.manual_seed(0); torch.randn(16)}, the first four. */
  private static final float[] NOISE = {-1.1258398f, -1.1523602f, -0.25057858f, -0.43387881f};

  /**
   * Of 16×16 pixels, seed 0, as every machine makes them, at any width of vectors: SHA-256 of their
   * RGB bytes.
   */
  private static final String PICTURE =
      "c958e8780be7da86081ac337e13f25c29f17a05c34eae5a585ac2c17ddb44c1a";

  /** Of the latents after one step: SHA-256 of their values in PyTorch's order, little-endian. */
  private static final String LATENTS =
      "d6deced2916ac18d12542f15becb003f80cd74c0480c3953782b39922f9bc0c0";

  private KnownResults() {}

  /** What is to be right. */
  private record Check(String name, BooleanSupplier right) {}

  static List<Finding> all() {
    List<Finding> findings = new ArrayList<>();
    try (KolorsPipeline pipeline = KolorsPipeline.open(MiniCheckpoint.directory())) {
      for (Check check : checks(pipeline)) {
        findings.add(finding(check));
      }
    } catch (IOException | RuntimeException e) {
      findings.add(new Finding("checkpoint", KolorsCommand.sentence(e), "build kolors4j again"));
    }
    return findings;
  }

  private static List<Check> checks(KolorsPipeline pipeline) {
    // One picture serves the last two: most of its time is the compiler's.
    AtomicReference<FloatArray> latents = new AtomicReference<>();
    AtomicReference<KolorsImage> picture = new AtomicReference<>();
    return List.of(
        new Check("tokenizer", () -> Arrays.equals(IDS, pipeline.tokenizer().contentIds(PROMPT))),
        new Check(
            "schedule",
            () -> Arrays.equals(TIMESTEPS, pipeline.scheduler().schedule(Steps.of(3)).timesteps())),
        new Check("noise", () -> isNoise(GeneratorType.CPU.generator(0).randn(16))),
        new Check(
            "unet step",
            () -> {
              picture.set(draw(pipeline, latents));
              return hash(Objects.requireNonNull(latents.get())).equals(LATENTS);
            }),
        new Check(
            "decode",
            () -> PictureMetadata.hash(Objects.requireNonNull(picture.get())).equals(PICTURE)));
  }

  private static boolean isNoise(float[] drawn) {
    return Arrays.equals(NOISE, Arrays.copyOf(drawn, NOISE.length));
  }

  /** A picture of one step, whose latents are kept. */
  private static KolorsImage draw(KolorsPipeline pipeline, AtomicReference<FloatArray> latents) {
    ImageRequest request =
        ImageRequest.builder(PROMPT)
            .maxSequenceLength(TOKENS)
            .seed(0)
            .size(SIDE, SIDE)
            .numInferenceSteps(1)
            .build();
    RunControl control =
        RunControl.builder().onStepEnd(step -> latents.set(step.latents())).build();
    return pipeline.generate(request, control).image();
  }

  private static String hash(FloatArray array) {
    float[] values = array.values();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new Identity().add(bytes).digits();
  }

  private static Finding finding(Check check) {
    long begin = System.nanoTime();
    boolean right = check.right.getAsBoolean();
    String value =
        String.format(
            Locale.ROOT,
            "%s, %.2f s",
            right ? "as it should be" : "wrong",
            (System.nanoTime() - begin) / 1e9);
    return new Finding(check.name, value, right ? "" : WRONG);
  }
}
