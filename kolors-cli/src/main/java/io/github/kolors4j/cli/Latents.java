package io.github.kolors4j.cli;

import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.tensor.FloatArray;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Latents in a safetensors file: one tensor of that name. */
final class Latents {
  static final String NAME = "latents";

  /** What PyTorch's readers look for. */
  static final Map<String, String> METADATA = Map.of("format", "pt");

  private static final int RANK = 4;

  private Latents() {}

  /** Reads {@code latents [n, c, h/f, w/f]}. */
  static FloatArray read(Path path) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      FloatArray latents = new F32Tensors("latents", path, file).get(NAME);
      if (latents.shape().rank() != RANK || latents.shape().size() == 0) {
        throw new UsageException(
            "[latents] %s: \"%s\" is %s: it must be [images, channels, height/f, width/f]."
                .formatted(path, NAME, latents.shape()));
      }
      return latents;
    }
  }
}
