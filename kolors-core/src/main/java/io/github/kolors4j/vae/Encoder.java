package io.github.kolors4j.vae;

import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.nn.Downsample2D;
import io.github.kolors4j.nn.GroupNorm;
import io.github.kolors4j.nn.ResnetBlock2D;
import io.github.kolors4j.nn.Weights;
import java.util.List;

/**
 * The tensors of diffusers' {@code Encoder}. Text to image does not encode, so that a checkpoint
 * may lack them; where they are, their shapes must fit.
 */
final class Encoder {
  private Encoder() {}

  static void define(Weights weights, AutoencoderKLConfig config) {
    List<Integer> channels = config.blockOutChannels();
    int c0 = channels.getFirst();
    int last = channels.size() - 1;
    Conv2d.load(weights.at("conv_in"), config.inChannels(), c0, 3);
    int out = c0;
    for (int i = 0; i <= last; i++) {
      Weights block = weights.at("down_blocks").at(i);
      for (int j = 0; j < config.layersPerBlock(); j++) {
        int in = out;
        out = channels.get(i);
        ResnetBlock2D.load(block.at("resnets").at(j), in, out, UNetMidBlock2D.resnetConfig(config));
      }
      if (i < last) {
        Downsample2D.load(block.at("downsamplers.0"), out, 0);
      }
    }
    UNetMidBlock2D.load(weights.at("mid_block"), config);
    GroupNorm.load(
        weights.at("conv_norm_out"), out, config.normNumGroups(), UNetMidBlock2D.NORM_EPS);
    Conv2d.load(weights.at("conv_out"), out, 2 * config.latentChannels(), 3);
  }
}
