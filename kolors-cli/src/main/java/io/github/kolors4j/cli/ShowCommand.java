package io.github.kolors4j.cli;

import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureText;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
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
        .forEach((key, value) -> line(key, value instanceof String text ? text : shown(value)));
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
