package io.github.kolors4j.examples;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.Canny;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;

/** Leads a picture along the edges of another one. */
public final class FollowEdges {
  private FollowEdges() {}

  /**
   * Finds the edges of a fox, {@code edges.png}, and draws along them: {@code along-edges-0.png} to
   * {@code along-edges-3.png}.
   *
   * @param args the folders of a checkpoint and of a ControlNet for edges, and a picture; without
   *     them, the shipped mini ones and a picture that they draw
   * @throws IOException if a file cannot be read or a picture not be written
   */
  public static void main(String[] args) throws IOException {
    Path model = args.length > 0 ? Path.of(args[0]) : MiniCheckpoint.directory();
    Path net = args.length > 1 ? Path.of(args[1]) : MiniCheckpoint.controlNet();
    try (KolorsPipeline pipeline = KolorsPipeline.open(model)) {
      KolorsImage image =
          args.length > 2
              ? KolorsImage.read(Path.of(args[2]))
              : pipeline
                  .generate(ImageRequest.builder("a fox on a white background").seed(0).build())
                  .image();
      KolorsImage edges = Canny.DEFAULT.edges(image);
      edges.save(Path.of("edges.png"));
      ControlNetInput input = ControlNetInput.of(ControlNet.of(net), edges).at(1);
      String[] prompts = {"", "a fox on a blue background", "a cat", "一只老虎,红色背景"};
      for (int i = 0; i < prompts.length; i++) {
        pipeline
            .generate(
                ImageRequest.builder(prompts[i])
                    .controlNet(input)
                    .numInferenceSteps(25)
                    .seed(1)
                    .build())
            .image()
            .save(Path.of("along-edges-" + i + ".png"));
      }
    }
  }
}
