package io.github.kolors4j.cli;

import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.adapter.AdapterArgument;
import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Adapters that change the U-Net and the text encoder. */
final class AdapterOptions {
  @Option(
      names = "--lora",
      paramLabel = "FILE[=WEIGHT]",
      description =
          "A LoRA, LoCon, LoHa, LoKr or DoRA file, or the folder of one, and how strong it is."
              + " Default: 1. FILE=0.8,text_encoder=1,up_blocks.0=0.5 has a weight for the text"
              + " encoder and a factor for a part of the U-Net. Repeatable: updates add up.")
  private List<String> loras = new ArrayList<>();

  /** Reads the files, for a request. */
  void apply(ImageRequest.Builder request) throws IOException {
    request.adapters(adapters());
  }

  /** Reads the files. */
  Adapters adapters() throws IOException {
    Adapters all = Adapters.NONE;
    for (String lora : loras) {
      all = all.and(adapters(lora));
    }
    return all;
  }

  /** How strong they and their parts are, where that is said. */
  List<Scale> scales() {
    List<Scale> scales = new ArrayList<>();
    for (String lora : loras) {
      try {
        if (!Files.exists(Path.of(lora))) {
          AdapterArgument argument = AdapterArgument.parse(lora);
          scales.add(new Scale("--lora " + lora, argument.weight()));
          argument.parts().values().forEach(part -> scales.add(new Scale("--lora " + lora, part)));
        }
      } catch (IllegalArgumentException _) {
        // It is refused when the file is looked for.
      }
    }
    return scales;
  }

  /** Whether there are any. */
  boolean isGiven() {
    return !loras.isEmpty();
  }

  private static Adapters adapters(String lora) throws IOException {
    if (Files.exists(Path.of(lora))) { // whatever equals signs are in its name
      return Adapters.of(Adapter.load(Path.of(lora)));
    }
    return UsageException.check(
        () -> {
          AdapterArgument argument = AdapterArgument.parse(lora);
          if (!Files.exists(Path.of(argument.file()))) {
            throw new IOException(
                "[file] --lora %s does not exist: name the file of an adapter, or its folder."
                    .formatted(argument.file()));
          }
          return argument.of(Adapter.load(Path.of(argument.file())));
        });
  }
}
