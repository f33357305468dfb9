package io.github.kolors4j.controlnet;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Activation;
import io.github.kolors4j.tensor.ops.Convolution.Geometry;
import java.util.ArrayList;
import java.util.List;

/**
 * Brings the picture that is followed to the size and the channels of the U-Net's first feature
 * map; diffusers {@code ControlNetConditioningEmbedding}.
 */
record ControlNetConditioningEmbedding(Conv2d convIn, List<Conv2d> blocks, Conv2d convOut) {

  static ControlNetConditioningEmbedding load(Weights weights, ControlNetConfig config) {
    List<Integer> channels = config.conditioningEmbeddingOutChannels();
    List<Conv2d> blocks = new ArrayList<>();
    for (int i = 0; i + 1 < channels.size(); i++) {
      int in = channels.get(i);
      int out = channels.get(i + 1);
      blocks.add(Conv2d.load(weights.at("blocks").at(2 * i), in, in, 3));
      blocks.add(Conv2d.load(weights.at("blocks").at(2 * i + 1), in, out, 3, new Geometry(2, 1)));
    }
    return new ControlNetConditioningEmbedding(
        Conv2d.load(weights.at("conv_in"), config.conditioningChannels(), channels.getFirst(), 3),
        List.copyOf(blocks),
        Conv2d.load(
            weights.at("conv_out"),
            channels.getLast(),
            config.encoder().blockOutChannels().getFirst(),
            3));
  }

  /** {@code conditioning [n, height, width, 3]} to {@code [n, h, w, c0]}. */
  Tensor forward(Tensor conditioning) {
    try (var scope = conditioning.workspace().scope()) {
      Tensor embedding = activated(convIn.forward(conditioning), scope);
      for (Conv2d block : blocks) {
        Tensor next = activated(block.forward(embedding), scope); // every second time [n, h/2, w/2]
        scope.release(embedding);
        embedding = next;
      }
      return scope.keep(convOut.forward(embedding)); // [n, h, w, c0]
    }
  }

  /** The largest maps of all are here: nothing of them is kept for longer than it is read. */
  private static Tensor activated(Tensor x, Workspace.Scope scope) {
    Tensor silu = Activation.silu(x);
    scope.release(x);
    return silu;
  }
}
