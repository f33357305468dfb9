package io.github.kolors4j.run;

import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.AttentionMask;
import io.github.kolors4j.unet.ImageContext;
import java.util.Optional;

/**
 * An image prompt as the U-Net reads it.
 *
 * @param prompt what was asked for
 * @param model the adapter
 * @param tokens of the images {@code [t, d]}
 * @param negativeTokens what they are held against under guidance, as many
 * @param mask where in the picture they count
 */
record EncodedImagePrompt(
    ImagePrompt prompt,
    IpAdapterModel model,
    float[] tokens,
    float[] negativeTokens,
    Optional<AttentionMask> mask) {

  /** The tokens of each row of a batch, of which the first ones are negative. */
  ImageContext context(Workspace workspace, int rows, int negatives) {
    boolean face = model.kind() == IpAdapter.Kind.FACE_ID_PLUS;
    int width = model.config().resampler().outputDim();
    Tensor batch = workspace.tensor(rows, tokens.length / width, width); // [n, t, d]
    for (int row = 0; row < rows; row++) {
      float[] own = row < negatives ? negativeTokens : tokens;
      System.arraycopy(own, 0, batch.data(), row * tokens.length, tokens.length);
    }
    return new ImageContext(model.projections(), batch, face, prompt::scaleOf, mask);
  }
}
