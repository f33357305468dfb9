package io.github.kolors4j.vae;

import io.github.kolors4j.checkpoint.Weights;
import io.github.kolors4j.nn.Conv2d;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.ops.Activation;

/** Three convolutions and a residual, without norms; diffusers {@code AutoencoderTinyBlock}. */
record AutoencoderTinyBlock(Conv2d conv0, Conv2d conv2, Conv2d conv4) {

  static AutoencoderTinyBlock load(Weights weights, int channels) {
    Weights conv = weights.at("conv");
    return new AutoencoderTinyBlock(
        Conv2d.load(conv.at(0), channels, channels, 3),
        Conv2d.load(conv.at(2), channels, channels, 3),
        Conv2d.load(conv.at(4), channels, channels, 3));
  }

  /** {@code x [n, h, w, c]} to {@code [n, h, w, c]}. */
  Tensor forward(Tensor x) {
    try (var scope = x.workspace().scope()) {
      Tensor first = conv0.forward(x);
      Activation.reluInPlace(first);
      Tensor second = conv2.forward(first);
      scope.release(first);
      Activation.reluInPlace(second);
      Tensor sum = conv4.forward(second, x);
      scope.release(second);
      Activation.reluInPlace(sum);
      return scope.keep(sum);
    }
  }
}
