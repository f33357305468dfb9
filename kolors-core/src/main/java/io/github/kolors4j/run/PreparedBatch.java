package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.unet.Conditioning;
import io.github.kolors4j.unet.ImageContext;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What the U-Net computes of prompts and sizes alone, kept as long as they stay the same: over all
 * steps, and over images in a row that share them. Its workspace is that of the steps, too.
 */
final class PreparedBatch implements AutoCloseable {
  private final Components components;
  private final ControlResiduals controls;

  private List<EncodedImagePrompt> images = List.of();
  private List<BatchRow> rows = List.of();
  private int negatives;
  private @Nullable Workspace workspace;
  private @Nullable Conditioning conditioning;

  PreparedBatch(Components components, ControlResiduals controls) {
    this.components = components;
    this.controls = controls;
  }

  /** Adds images to the texts of all batches to come. */
  void lookAt(List<EncodedImagePrompt> encoded) {
    images = encoded;
  }

  /**
   * The conditioning of a batch, whose first rows are negative, for the U-Net, and with it for the
   * ControlNets; valid, with its workspace, until other rows are asked for.
   */
  Conditioning of(List<BatchRow> wanted, int negativeRows) {
    if (workspace == null || negatives != negativeRows || !rows.equals(wanted)) {
      close();
      workspace = components.workspace();
      try {
        negatives = negativeRows;
        controls.prepare(workspace, wanted, negativeRows);
        conditioning = prepare(wanted);
        rows = List.copyOf(wanted);
      } catch (RuntimeException | Error e) {
        close();
        throw e;
      }
    }
    return Objects.requireNonNull(conditioning);
  }

  /** Where the steps are computed. */
  Workspace workspace() {
    return Objects.requireNonNull(workspace);
  }

  /** Gives back what only the steps needed, before the VAE takes its turn. */
  void trim() {
    if (workspace != null) {
      workspace.trim();
    }
  }

  private Conditioning prepare(List<BatchRow> wanted) {
    float[][] addTimeIds =
        wanted.stream().map(row -> row.addTimeIds().values()).toArray(float[][]::new);
    Conditioning text =
        components
            .unet()
            .prepare(
                batchOf(wanted, BatchRow::promptEmbeds), // [n, s, d]
                batchOf(wanted, BatchRow::addTextEmbeds), // [n, d]
                addTimeIds);
    List<ImageContext> contexts =
        images.stream().map(image -> image.context(workspace(), wanted.size(), negatives)).toList();
    return components.unet().withImages(text, contexts);
  }

  private Tensor batchOf(List<BatchRow> wanted, Function<BatchRow, FloatArray> part) {
    FloatArray batch = stacked(wanted, part);
    return workspace().copyOf(batch.values(), batch.shape().dims());
  }

  /** Arrays {@code [1, …]} of the rows as one {@code [n, …]}. */
  static FloatArray stacked(List<BatchRow> rows, Function<BatchRow, FloatArray> part) {
    int[] dims = part.apply(rows.getFirst()).shape().dims();
    int length = part.apply(rows.getFirst()).shape().size();
    dims[0] = rows.size();
    float[] batch = new float[rows.size() * length];
    for (int row = 0; row < rows.size(); row++) {
      part.apply(rows.get(row)).copyTo(0, batch, row * length, length);
    }
    return FloatArray.wrap(batch, dims);
  }

  @Override
  public void close() {
    if (workspace != null) {
      workspace.close();
      workspace = null;
    }
  }
}
