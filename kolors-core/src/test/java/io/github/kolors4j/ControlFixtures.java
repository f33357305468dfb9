package io.github.kolors4j;

import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.controlnet.ControlNetConfig;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Models that share most of their weights with the mini checkpoint's U-Net; the rest is in the
 * fixtures.
 */
final class ControlFixtures {
  private static final Path UNET = PipelineFixture.CHECKPOINT.resolve("unet");

  private ControlFixtures() {}

  /** A ControlNet of the fixture as a folder. */
  static ControlNet net(Path root, PipelineFixture fixture, String name) throws IOException {
    Path folder = Files.createDirectories(root.resolve("net-" + name));
    Files.writeString(folder.resolve("config.json"), fixture.config());
    ControlNetConfig config = ControlNetConfig.of(JsonConfig.read(folder.resolve("config.json")));
    try (TensorSource source = source(fixture, "weights.net." + name + ".")) {
      List<SafetensorsWriter.Entry> entries =
          ControlNetModel.parameters(config).stream()
              .map(each -> source.find(each.name()).orElseThrow())
              .map(info -> new SafetensorsWriter.Entry(key(info), info.dtype(), info.shape()))
              .toList();
      try (SafetensorsWriter writer =
          SafetensorsWriter.create(
              folder.resolve("diffusion_pytorch_model.safetensors"), entries, Map.of())) {
        for (SafetensorsWriter.Entry entry : entries) {
          writer.write(entry.name(), source.data(entry.name()));
        }
      }
    }
    return ControlNet.of(folder);
  }

  private static String key(TensorInfo info) {
    return info.name().replaceFirst("^weights\\.net\\.\\w+\\.", "");
  }

  /** The U-Net of nine channels of the fixture. */
  static UNet2DConditionModel nineChannels(PipelineFixture fixture) throws IOException {
    JsonConfig json = JsonConfig.read(UNET.resolve("config.json")).with("in_channels", 9);
    return UNet2DConditionModel.of(
        UNet2DConditionConfig.of(json), source(fixture, "weights.unet.nine."));
  }

  private static TensorSource source(PipelineFixture fixture, String prefix) throws IOException {
    return new Overlaid(
        SafetensorsFile.open(UNET.resolve("diffusion_pytorch_model.fp16.safetensors")),
        fixture.source(),
        prefix);
  }

  /** A file, of which tensors are replaced by those of another one below a prefix. */
  private record Overlaid(TensorSource below, TensorSource above, String prefix)
      implements TensorSource {
    @Override
    public Set<String> names() {
      Set<String> names = new LinkedHashSet<>(below.names());
      for (String name : above.names()) {
        if (name.startsWith(prefix)) {
          names.add(name.substring(prefix.length()));
        }
      }
      return names;
    }

    @Override
    public Optional<TensorInfo> find(String name) {
      return above.find(prefix + name).or(() -> below.find(name));
    }

    @Override
    public MemorySegment data(String name) {
      return above.find(prefix + name).isPresent() ? above.data(prefix + name) : below.data(name);
    }

    @Override
    public Map<String, String> metadata() {
      return below.metadata();
    }

    @Override
    public Path path() {
      return below.path();
    }

    @Override
    public void close() {
      below.close();
    }
  }
}
