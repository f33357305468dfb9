package io.github.kolors4j.images;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import io.github.kolors4j.image.InvalidPictureException;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.safetensors.SafetensorsFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;

/** The files of {@code fixtures/make_picture_fixtures.py}, and what Pillow read from them. */
final class PictureFiles implements AutoCloseable {
  private final SafetensorsFile file;

  private PictureFiles(SafetensorsFile file) {
    this.file = file;
  }

  static PictureFiles open() throws IOException {
    try {
      Path path = Path.of(PictureFiles.class.getResource("/images/files.safetensors").toURI());
      return new PictureFiles(SafetensorsFile.open(path));
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  List<String> names() {
    return JsonParser.parseString(file.metadata().get("config"))
        .getAsJsonObject()
        .getAsJsonArray("files")
        .asList()
        .stream()
        .map(JsonElement::getAsString)
        .toList();
  }

  byte[] bytes(String name) {
    return file.data("input.file." + name).toArray(ValueLayout.JAVA_BYTE);
  }

  /** As Pillow read it. */
  KolorsImage picture(String name) {
    String key = "output.file." + name;
    List<Long> shape = file.find(key).orElseThrow().shape();
    return KolorsImage.of(
        Math.toIntExact(shape.get(1)),
        Math.toIntExact(shape.get(0)),
        file.data(key).toArray(ValueLayout.JAVA_BYTE));
  }

  /** As this library reads it. */
  KolorsImage read(String name) throws InvalidPictureException {
    return KolorsImage.read(bytes(name), name, PictureLimits.DEFAULT);
  }

  @Override
  public void close() {
    file.close();
  }
}
