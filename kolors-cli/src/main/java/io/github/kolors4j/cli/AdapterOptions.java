package io.github.kolors4j.cli;

import io.github.kolors4j.adapter.Adapter;
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
              + " Default: 1. Repeatable: updates add up.")
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

  /** Whether there are any. */
  boolean isGiven() {
    return !loras.isEmpty();
  }

  /** The weight is the number after the last equals sign; a file may have others in its name. */
  private static Adapters adapters(String lora) throws IOException {
    int equals = lora.lastIndexOf('=');
    if (equals < 0 || Files.exists(Path.of(lora))) {
      return Adapters.of(Adapter.load(Path.of(lora)));
    }
    double weight;
    try {
      weight = Double.parseDouble(lora.substring(equals + 1));
    } catch (NumberFormatException e) {
      throw new UsageException(
          "[arguments] --lora %s: %s is no weight. Write FILE=0.8, or FILE alone."
              .formatted(lora, lora.substring(equals + 1)));
    }
    Path file = Path.of(lora.substring(0, equals));
    return UsageException.check(() -> Adapters.of(Adapter.load(file)).at(weight));
  }
}
