package io.github.kolors4j.cli;

import io.github.kolors4j.request.FinishedImage;
import io.github.kolors4j.request.ImageListener;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.tensor.FloatArray;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The files of a request. A picture is written when it is made; latents, which share one file, when
 * the last of them is, or what there is of them when the request ends before, by Ctrl-C too.
 */
final class ResultFiles implements ImageListener {
  /** Writes a finished picture. */
  @FunctionalInterface
  interface Saving {
    void save(FinishedImage finished, Path file) throws IOException;
  }

  private final Terminal terminal;
  private final Interruption interruption;
  private final List<Path> files;
  private final Saving pictures;
  private final List<FloatArray> latents = new ArrayList<>();

  /**
   * The files of one request.
   *
   * @param files one a picture, or one for all latents
   * @param pictures writes a picture
   */
  ResultFiles(Terminal terminal, Interruption interruption, List<Path> files, Saving pictures) {
    this.terminal = terminal;
    this.interruption = interruption;
    this.files = files;
    this.pictures = pictures;
    interruption.beforeTheEnd(this::writeLatents);
  }

  @Override
  public void onImage(FinishedImage finished) {
    synchronized (latents) {
      finished.latents().ifPresent(latents::add);
    }
    if (finished.image().isPresent()) {
      Path file = files.get(finished.index());
      try {
        interruption.whole(file, () -> pictures.save(finished, file));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Writes the latents that are finished, once; nothing where there are none. */
  void writeLatents() throws IOException {
    List<FloatArray> finished;
    synchronized (latents) {
      finished = List.copyOf(latents);
      latents.clear();
    }
    if (!finished.isEmpty()) {
      Path file = files.getFirst();
      interruption.whole(
          file, () -> OutputFiles.write(file, Map.of(Latents.NAME, stacked(finished)), terminal));
    }
  }

  /** {@code [n, c, h/f, w/f]} of n times {@code [1, c, h/f, w/f]}. */
  private static TensorData stacked(List<FloatArray> rows) {
    int size = rows.getFirst().shape().size();
    float[] all = new float[Math.multiplyExact(rows.size(), size)];
    for (int i = 0; i < rows.size(); i++) {
      rows.get(i).copyTo(0, all, i * size, size);
    }
    long[] shape = Arrays.stream(rows.getFirst().shape().dims()).asLongStream().toArray();
    shape[0] = rows.size();
    return TensorData.f32(all, shape);
  }
}
