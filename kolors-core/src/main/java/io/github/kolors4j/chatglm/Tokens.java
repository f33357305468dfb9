package io.github.kolors4j.chatglm;

import io.github.kolors4j.tensor.Tensor;

/** The tokens {@code [n, s, d]} of which a layer computes the last ones only. */
final class Tokens {
  private Tokens() {}

  /** {@code x [n, s, d]} to {@code [n, s − from, d]}: x itself where {@code from} is 0. */
  static Tensor from(Tensor x, int from) {
    if (from == 0) {
      return x;
    }
    int s = x.dim(1);
    int d = x.dim(2);
    int count = s - from;
    Tensor y = x.workspace().tensor(x.dim(0), count, d); // [n, s − from, d]
    for (int i = 0; i < x.dim(0); i++) {
      System.arraycopy(x.data(), (i * s + from) * d, y.data(), i * count * d, count * d);
    }
    return y;
  }
}
