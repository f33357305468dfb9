package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;

/** Paints something else into a part of a picture. */
public final class Inpainting {
  private Inpainting() {}

  /**
   * Draws a dog, {@code before.png}, and puts a fox in its place, {@code after.png}.
   *
   * @param args a checkpoint's folder, a picture, a mask, and the prompt; without them, the shipped
   *     mini checkpoint and a disc in a picture that it draws
   * @throws IOException if a file cannot be read or a picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    // With a U-Net that was trained for it, KolorsPipeline.builder(model).unet(file).open(), as
    // MiniCheckpoint.inpaintingUnet(), words need not say what is around the mask.
    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      KolorsImage image =
          args.length > 1
              ? KolorsImage.read(Path.of(args[1]))
              : pipeline
                  .generate(ImageRequest.builder("a dog on a green background").seed(0).build())
                  .image();
      KolorsImage mask =
          args.length > 2
              ? KolorsImage.read(Path.of(args[2]))
              : disc(image.width(), image.height());
      image.save(Path.of("before.png"));
      pipeline
          .generate(
              ImageRequest.builder(args.length > 3 ? args[3] : "a fox on a green background")
                  .image(image)
                  .mask(mask)
                  .numInferenceSteps(25)
                  .seed(1)
                  .build())
          .image()
          .save(Path.of("after.png"));
    }
  }

  /** White, on black. */
  private static KolorsImage disc(int width, int height) {
    BufferedImage mask = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = mask.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillOval(width / 16, height / 16, width * 7 / 8, height * 7 / 8);
    graphics.dispose();
    return KolorsImage.of(mask);
  }
}
