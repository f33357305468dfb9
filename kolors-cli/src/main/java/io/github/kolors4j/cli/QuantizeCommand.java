package io.github.kolors4j.cli;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.checkpoint.SaveOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A checkpoint of half the size. */
@Command(
    name = "quantize",
    description =
        "Writes a checkpoint whose large weights have 8 bits: the text encoder's with a scale a row,"
            + " without the layer that no picture needs, the U-Net's with one for 32 values, what is"
            + " at its edges left as it is. It is opened like any other here; diffusers does not read"
            + " it. With --lora it has the sums of the weights and these.",
    sortOptions = false)
final class QuantizeCommand implements Callable<Integer> {
  private static final String INT8 = "int8";
  private static final String F16 = "f16";

  private final Terminal terminal;
  private final Interruption interruption;

  @Mixin private CommonOptions.WeightsOption model;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "The folder to be; it must not exist, or be empty.")
  private Path out;

  @Option(
      names = "--text",
      paramLabel = "int8|f16",
      defaultValue = INT8,
      description =
          "The text encoder's weights; f16 leaves them as they are stored. Default:"
              + " ${DEFAULT-VALUE}.")
  private String text;

  @Option(
      names = "--unet",
      paramLabel = "int8|f16",
      defaultValue = INT8,
      description =
          "The U-Net's weights; f16 leaves them as they are stored. Default: ${DEFAULT-VALUE}.")
  private String unet;

  @Mixin private AdapterOptions adapters;
  @Mixin private CommonOptions common;

  QuantizeCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    Set<String> int8 = new TreeSet<>();
    if (isInt8("--text", text)) {
      int8.add("text_encoder");
    }
    if (isInt8("--unet", unet)) {
      int8.add("unet");
    }
    Adapters summed = adapters.adapters();
    try (KolorsPipeline pipeline = model.builder(terminal, interruption, 1).open()) {
      KolorsPipeline changed =
          summed.uses().isEmpty()
              ? pipeline
              : UsageException.check(() -> pipeline.withAdapters(summed));
      changed.savePretrained(out, SaveOptions.DEFAULT.withInt8(int8));
    }
    terminal.out().println(out);
    return KolorsCommand.OK;
  }

  private static boolean isInt8(String option, String value) {
    return switch (value) {
      case INT8 -> true;
      case F16 -> false;
      default ->
          throw new UsageException("[arguments] %s %s: use int8 or f16.".formatted(option, value));
    };
  }
}
