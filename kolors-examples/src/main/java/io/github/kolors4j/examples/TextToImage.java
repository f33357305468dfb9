package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.request.ImageResult;
import java.io.IOException;
import java.nio.file.Path;

/** From a prompt to a picture in ten lines. */
public final class TextToImage {
  private TextToImage() {}

  /**
   * Draws a ladybug.
   *
   * @param args the checkpoint's folder; without it, the shipped mini checkpoint
   * @throws IOException if the checkpoint cannot be read or the picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      ImageResult result = pipeline.generate(ImageRequest.builder("一只瓢虫,蓝色背景").seed(0).build());
      result.image().save(Path.of("ladybug.png"));
    }
  }
}
