package io.github.kolors4j.cli;

import io.github.kolors4j.adapter.Adapters;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureText;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a picture knows of itself. */
@Command(
    name = "show",
    description = "Prints how a picture was made, from the file itself.",
    sortOptions = false)
final class ShowCommand implements Callable<Integer> {
  private static final int SHORT_HASH = 12;

  private static final String ADAPTERS = "adapters";
  private static final String CONTROLNET = "controlnet";
  private static final String IP_ADAPTER = "ip_adapter";

  /** Of a request, what files it names. */
  private static final Set<String> FILES = Set.of(ADAPTERS, CONTROLNET, IP_ADAPTER);

  private final Terminal terminal;

  @Parameters(paramLabel = "PICTURE", description = "A PNG or JPEG that generate has written.")
  private Path picture;

  @Option(names = "--json", description = "All of it, as one line of JSON.")
  private boolean json;

  @Mixin private CommonOptions common;

  ShowCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    Optional<PictureMetadata> metadata = PictureMetadata.read(picture);
    if (metadata.isPresent()) {
      if (json) {
        terminal.out().println(metadata.get().toJson());
      } else {
        print(metadata.get());
      }
      return KolorsCommand.OK;
    }
    String parameters = PictureText.read(picture).get(PictureText.PARAMETERS);
    if (parameters == null) {
      throw silent("show", picture);
    }
    // Of another program of the field.
    terminal
        .out()
        .println(
            json ? JsonWriter.compact(Map.of(PictureText.PARAMETERS, parameters)) : parameters);
    return KolorsCommand.OK;
  }

  /** What is wrong with a file that does not say how it was made; it may be no picture at all. */
  static InvalidFileException silent(String command, Path picture) throws IOException {
    KolorsImage.read(picture);
    return new InvalidFileException(
        "[%s] %s does not say how it was made: it was written with --no-metadata, or by another program."
            .formatted(command, picture));
  }

  private void print(PictureMetadata metadata) throws IOException {
    JsonReader.of(metadata.request().toJson())
        .object()
        .forEach(
            (key, value) -> {
              if (!FILES.contains(key)) {
                line(key, value instanceof String text ? text : shown(value));
              }
            });
    printFiles(metadata.request());
    if (metadata.request().numImages() > 1) {
      line("image", Integer.toString(metadata.image()));
    }
    line("scheduler", metadata.schedulerClass());
    line(
        "model",
        metadata.model().name() + ", hash " + metadata.model().hash().substring(0, SHORT_HASH));
    var engine = metadata.engine();
    line(
        "engine",
        "kolors4j %s, %s, %s".formatted(engine.library(), engine.kernels(), engine.precision()));
    line("pixels", pixels(metadata));
  }

  /** What is told of files is their hash, for the most part; who looks wants the rest of it. */
  private void printFiles(ImageRequest request) {
    for (Adapters.Use use : request.adapters().uses()) {
      line(
          ADAPTERS,
          "%s at %s%s%s, hash %s"
              .formatted(
                  use.adapter(),
                  use.unet(),
                  use.textEncoder() == use.unet()
                      ? ""
                      : ", in the text encoder at " + use.textEncoder(),
                  inBlocks(use.blocks()),
                  use.adapter().sha256().substring(0, SHORT_HASH)));
    }
    for (ControlNetInput input : request.controlNets()) {
      line(
          CONTROLNET,
          "%s at %s, from %s to %s of the steps%s, hash %s"
              .formatted(
                  input.controlNet(),
                  input.conditioningScale(),
                  input.guidanceStart(),
                  input.guidanceEnd(),
                  input.guessMode() ? ", guess mode" : "",
                  input.controlNet().identity().substring(0, SHORT_HASH)));
    }
    for (ImagePrompt prompt : request.imagePrompts()) {
      line(
          IP_ADAPTER,
          "%s at %s%s, %s%s, hash %s"
              .formatted(
                  prompt.adapter(),
                  prompt.scale(),
                  inBlocks(prompt.blocks()),
                  prompt.count() == 1 ? "1 image" : prompt.count() + " images",
                  prompt.masks().isEmpty() ? "" : " with masks",
                  prompt.adapter().identity().substring(0, SHORT_HASH)));
    }
  }

  private static String inBlocks(Map<String, Double> blocks) {
    StringBuilder text = new StringBuilder();
    blocks.forEach((block, scale) -> text.append(", in %s at %s".formatted(block, scale)));
    return text.toString();
  }

  private void line(String key, String value) {
    terminal.out().println(key + ": " + value);
  }

  private static String shown(Object value) {
    return JsonWriter.abbreviated(value);
  }

  /** Whether somebody has painted in it, or made a JPEG of it, since. */
  private String pixels(PictureMetadata metadata) throws IOException {
    boolean same = PictureMetadata.hash(KolorsImage.read(picture)).equals(metadata.pixels());
    return same ? "as they were made" : "not as they were made: edited since, or a JPEG";
  }
}
