package io.github.kolors4j.chatglm;

import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;

/**
 * What all layers know of the tokens: which sees which, {@code mask [n, s, s]} of 0 and −∞, and
 * their {@code positionIds [n][s]}.
 */
record Context(Tensor mask, int[][] positionIds) {

  /**
   * A token sees itself and the tokens before it that are not padding. Padding sees everything,
   * also what comes after it: its rows are read by the U-Net, so they must be what they were in
   * training.
   */
  static Context of(Workspace workspace, int[][] attentionMask, int[][] positionIds) {
    int n = attentionMask.length;
    int s = attentionMask[0].length;
    Tensor mask = workspace.tensor(n, s, s); // [n, s, s]
    for (int i = 0; i < n; i++) {
      for (int query = 0; query < s; query++) {
        boolean padding = attentionMask[i][query] == 0;
        for (int key = 0; key < s; key++) {
          boolean sees = padding || (key <= query && attentionMask[i][key] == 1);
          mask.data()[(i * s + query) * s + key] = sees ? 0 : Float.NEGATIVE_INFINITY;
        }
      }
    }
    return new Context(mask, positionIds);
  }
}
