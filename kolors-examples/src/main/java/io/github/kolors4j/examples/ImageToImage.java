package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;

/** Redraws a picture: the more, the greater the strength. */
public final class ImageToImage {
  private ImageToImage() {}

  /**
   * Draws a dog, {@code dog.png}, and makes foxes of it, {@code fox-0.4.png}, {@code fox-0.6.png}
   * and {@code fox-0.8.png}.
   *
   * @param args the checkpoint's folder and a picture to begin with; without them, the shipped mini
   *     checkpoint and a picture that it draws
   * @throws IOException if a file cannot be read or a picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      KolorsImage image =
          args.length > 1
              ? KolorsImage.read(Path.of(args[1]))
              : pipeline
                  .generate(
                      ImageRequest.builder("a dog on a blue background")
                          .numInferenceSteps(25)
                          .seed(0)
                          .build())
                  .image();
      image.save(Path.of("dog.png"));
      for (double strength : new double[] {0.4, 0.6, 0.8}) {
        pipeline
            .generate(
                ImageRequest.builder("a fox on a blue background")
                    .image(image)
                    .strength(strength)
                    .numInferenceSteps(50)
                    .seed(0)
                    .build())
            .image()
            .save(Path.of("fox-" + strength + ".png"));
      }
    }
  }
}
