package io.github.kolors4j.unet;

import io.github.kolors4j.nn.ResnetBlock2D;
import java.util.OptionalInt;

/** What a block of the U-Net is built from: its number of layers, and what all have in common. */
record BlockConfig(int layers, Transformer2DModel.Size transformer, UNetEncoderConfig unet) {

  ResnetBlock2D.Config resnet() {
    return new ResnetBlock2D.Config(
        OptionalInt.of(unet.timeEmbedDim()), unet.normNumGroups(), unet.normEps());
  }
}
