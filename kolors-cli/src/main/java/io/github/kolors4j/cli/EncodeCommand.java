package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.request.EncodedPrompt;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** From a prompt to what the U-Net reads of it. */
@Command(
    name = "encode",
    description = "Writes the ids and embeddings of a prompt to a safetensors file.",
    sortOptions = false)
final class EncodeCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(paramLabel = "PROMPT", description = "The prompt; may be empty text.")
  private String prompt;

  @Mixin private CommonOptions.WeightsOption model;

  @Option(
      names = "--negative-prompt",
      paramLabel = "T",
      description = "Also writes the embeddings of this one.")
  private String negativePrompt;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Where to; - is standard output.")
  private String out;

  @Mixin private CommonOptions.PrecisionOption precision;
  @Mixin private CommonOptions.ThreadsOption threads;
  @Mixin private CommonOptions common;

  EncodeCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    int threadCount = threads.number();
    Precision chosen = precision.value();
    Path file = OutputFiles.path(out);
    OutputFiles.checkSuffix(file, OutputFiles.SAFETENSORS);
    OutputFiles.checkWritable(file);
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    try (KolorsPipeline pipeline =
        model.builder(terminal, interruption, threadCount).precision(chosen).open()) {
      EncodedPrompt encoded = encode(pipeline, prompt);
      tensors.put("input_ids", ids(encoded.tokens().inputIds()));
      tensors.put("attention_mask", ids(encoded.tokens().attentionMask()));
      tensors.put("position_ids", ids(encoded.tokens().positionIds()));
      tensors.put(EmbedsFile.PROMPT_EMBEDS, values(encoded.promptEmbeds()));
      tensors.put(EmbedsFile.POOLED_PROMPT_EMBEDS, values(encoded.pooledPromptEmbeds()));
      if (negativePrompt != null) {
        EncodedPrompt negative = encode(pipeline, negativePrompt);
        tensors.put(EmbedsFile.NEGATIVE_PROMPT_EMBEDS, values(negative.promptEmbeds()));
        tensors.put(
            EmbedsFile.NEGATIVE_POOLED_PROMPT_EMBEDS, values(negative.pooledPromptEmbeds()));
      }
    }
    interruption.whole(file, () -> OutputFiles.write(file, tensors, terminal));
    if (!OutputFiles.isStandardOutput(file)) {
      terminal.out().println(file);
    }
    return KolorsCommand.OK;
  }

  private static EncodedPrompt encode(KolorsPipeline pipeline, String text) {
    return UsageException.check(() -> pipeline.encodePrompt(text));
  }

  /** {@code [s]} as {@code [1, s]}. */
  private static TensorData ids(int[] ids) {
    return TensorData.i64(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length);
  }

  private static TensorData values(FloatArray array) {
    return TensorData.f32(
        array.values(), Arrays.stream(array.shape().dims()).asLongStream().toArray());
  }
}
