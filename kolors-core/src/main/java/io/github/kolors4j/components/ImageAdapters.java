package io.github.kolors4j.components;

import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The image adapters that requests have used, and their image encoders: each is opened once and
 * stays open as long as the checkpoint. Their weights are mapped, so that one which is not used
 * costs no memory.
 */
public final class ImageAdapters implements AutoCloseable {
  private record Key(IpAdapter adapter, UNet2DConditionConfig unet) {}

  private final Map<Key, IpAdapterModel> models = new HashMap<>();
  private final Map<Path, CLIPVisionModel> encoders = new HashMap<>();

  /**
   * An adapter's weights.
   *
   * @param adapter which one
   * @param unet of the U-Net that is to use it
   * @return the model, which nobody else closes
   * @throws IllegalArgumentException if it cannot be opened, or is for another U-Net
   */
  public synchronized IpAdapterModel model(IpAdapter adapter, UNet2DConditionConfig unet) {
    Key key = new Key(adapter, unet);
    IpAdapterModel open = models.get(key);
    if (open == null) {
      try {
        open = adapter.load(unet);
      } catch (IOException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
      models.put(key, open);
    }
    return open;
  }

  /**
   * The image encoder of an adapter.
   *
   * @param adapter which one
   * @return the model, which nobody else closes
   * @throws IllegalArgumentException if it has none, or it cannot be opened
   */
  public synchronized CLIPVisionModel encoder(IpAdapter adapter) {
    Path folder =
        adapter
            .imageEncoder()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "[ip-adapter] %s has no image encoder beside it: name its folder, or give the images encoded."
                            .formatted(adapter)));
    CLIPVisionModel open = encoders.get(folder);
    if (open == null) {
      try {
        open = CLIPVisionModel.load(folder);
      } catch (IOException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
      encoders.put(folder, open);
    }
    return open;
  }

  /**
   * Whether the files of those that are open are still as long as they were.
   *
   * @throws InvalidFileException with the name of one that was cut short
   */
  public void requireWholeFiles() throws InvalidFileException {
    List<IpAdapterModel> adapters;
    List<CLIPVisionModel> open;
    synchronized (this) {
      adapters = new ArrayList<>(models.values());
      open = new ArrayList<>(encoders.values());
    }
    for (IpAdapterModel each : adapters) {
      each.requireWholeFiles();
    }
    for (CLIPVisionModel each : open) {
      each.requireWholeFiles();
    }
  }

  @Override
  public synchronized void close() {
    models.values().forEach(IpAdapterModel::close);
    models.clear();
    encoders.values().forEach(CLIPVisionModel::close);
    encoders.clear();
  }
}
