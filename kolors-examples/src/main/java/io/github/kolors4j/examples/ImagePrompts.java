package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;

/** Pictures that are to be like another one, with words and without. */
public final class ImagePrompts {
  private ImagePrompts() {}

  /**
   * Draws a parrot, {@code parrot.png}, and what is like it: {@code like-it.png} without a word,
   * and {@code on-purple.png} half as much, with words for what is around it.
   *
   * @param args the folders of a checkpoint and of an IP-Adapter, and a picture; without them, the
   *     shipped mini ones and a picture that they draw
   * @throws IOException if a file cannot be read or a picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    IpAdapter adapter =
        IpAdapter.of(args.length > 1 ? Path.of(args[1]) : MiniCheckpoint.ipAdapter());
    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      KolorsImage image =
          args.length > 2
              ? KolorsImage.read(Path.of(args[2]))
              : pipeline.generate(ImageRequest.builder("a parrot").seed(0).build()).image();
      image.save(Path.of("parrot.png"));
      ImagePrompt prompt = ImagePrompt.of(adapter, image);
      pipeline
          .generate(
              ImageRequest.builder("").imagePrompt(prompt).numInferenceSteps(25).seed(1).build())
          .image()
          .save(Path.of("like-it.png"));
      pipeline
          .generate(
              ImageRequest.builder("on a purple background")
                  .imagePrompt(prompt.at(0.5))
                  .numInferenceSteps(25)
                  .seed(1)
                  .build())
          .image()
          .save(Path.of("on-purple.png"));
    }
  }
}
