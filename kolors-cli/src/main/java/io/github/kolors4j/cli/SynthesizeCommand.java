package io.github.kolors4j.cli;

import io.github.kolors4j.cli.synthetic.CheckpointConfig;
import io.github.kolors4j.cli.synthetic.LoraConfig;
import io.github.kolors4j.cli.synthetic.Part;
import io.github.kolors4j.cli.synthetic.SyntheticCheckpoint;
import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Random weights in the published layout. */
@Command(
    name = "synthesize",
    description =
        "Writes a checkpoint of random weights in the published layout, to measure the real size"
            + " (17.8 GB) before having it.",
    sortOptions = false)
final class SynthesizeCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final Interruption interruption;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "The folder to be: new or empty.")
  private Path out;

  @Option(
      names = "--config",
      paramLabel = "full|tiny|DIR",
      defaultValue = "full",
      description =
          "The published model, a very small one, or the configurations of a checkpoint. Default:"
              + " full.")
  private String config;

  @Option(
      names = "--parts",
      paramLabel = "unet,vae,text,taesd,image-encoder,ip-adapter,controlnet,lora",
      defaultValue = "unet,vae,text",
      description =
          "Which weights to write. Default: those of the checkpoint itself, ${DEFAULT-VALUE}.")
  private String parts;

  @Option(
      names = "--text-layers",
      paramLabel = "N",
      description = "Layers of the text encoder. Default: as the config says, 28 for full.")
  private Integer textLayers;

  @Option(
      names = "--rank",
      paramLabel = "N",
      defaultValue = "16",
      description = "Of the LoRA for the U-Net that --parts lora writes. Default: 16.")
  private int rank;

  @Option(
      names = "--lora-modules",
      paramLabel = "attention|all",
      defaultValue = "attention",
      description =
          "What that LoRA updates: queries, keys, values and outputs of attentions, or every matrix"
              + " and filter. Default: attention.")
  private String loraModules;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "A tokenizer.model. Default: the mini checkpoint's.")
  private Path tokenizer;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "0",
      converter = Numbers.Seed.class,
      description = "Of all values: the same seed gives the same files. Default: 0.")
  private long seed;

  @Mixin private CommonOptions.ThreadsOption threads;
  @Mixin private CommonOptions common;

  SynthesizeCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    int threadCount = threads.number();
    Set<Part> chosen = parts();
    if (textLayers != null && (textLayers < 1 || textLayers > MAX_TEXT_LAYERS)) {
      throw new UsageException(
          "[synthesize] --text-layers %d: use 1 to %d.".formatted(textLayers, MAX_TEXT_LAYERS));
    }
    if (rank < 1 || rank > MAX_RANK) {
      throw new UsageException("[synthesize] --rank %d: use 1 to %d.".formatted(rank, MAX_RANK));
    }
    CheckpointConfig checkpointConfig = config().withLora(new LoraConfig(rank, loraModules()));
    if (textLayers != null) {
      checkpointConfig = checkpointConfig.withTextLayers(textLayers);
    }
    Path mini = MiniCheckpoint.directory().resolve("tokenizer");
    SyntheticCheckpoint checkpoint =
        new SyntheticCheckpoint(
            checkpointConfig,
            chosen,
            tokenizer == null ? mini.resolve("tokenizer.model") : tokenizer,
            mini.resolve("tokenizer_config.json"),
            seed);
    try (ProgressBar bar = new ProgressBar(terminal)) {
      long begin = System.nanoTime();
      interruption.whole(
          out,
          () ->
              checkpoint.write(
                  out,
                  threadCount,
                  written -> bar.bytes(written, checkpoint.bytes(), begin),
                  interruption.token()));
    }
    terminal.out().println(out);
    return KolorsCommand.OK;
  }

  /** As {@link io.github.kolors4j.chatglm.ChatGlmConfig} has it. */
  private static final int MAX_TEXT_LAYERS = 1_024;

  private static final int MAX_RANK = 4_096;

  private LoraConfig.Modules loraModules() {
    return switch (loraModules) {
      case "attention" -> LoraConfig.Modules.ATTENTION;
      case "all" -> LoraConfig.Modules.ALL;
      default ->
          throw new UsageException(
              "[synthesize] --lora-modules %s: use attention or all.".formatted(loraModules));
    };
  }

  private CheckpointConfig config() throws IOException {
    return switch (config) {
      case "full" -> CheckpointConfig.full();
      case "tiny" -> CheckpointConfig.tiny();
      default -> {
        Path directory = Path.of(config);
        if (!Files.isDirectory(directory)) {
          throw new UsageException(
              "[synthesize] --config %s: use full, tiny, or the folder of a checkpoint."
                  .formatted(config));
        }
        yield CheckpointConfig.read(directory);
      }
    };
  }

  private Set<Part> parts() {
    Set<Part> chosen = EnumSet.noneOf(Part.class);
    for (String name : parts.split(",", -1)) {
      chosen.add(
          Arrays.stream(Part.values())
              .filter(part -> name(part).equals(name.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new UsageException(
                          "[synthesize] --parts %s: \"%s\" is none of %s."
                              .formatted(
                                  parts,
                                  name,
                                  Arrays.stream(Part.values())
                                      .map(SynthesizeCommand::name)
                                      .collect(Collectors.joining(", "))))));
    }
    return chosen;
  }

  private static String name(Part part) {
    return part.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
