package io.github.kolors4j.components;

import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.nio.file.Path;

/**
 * The image adapters that requests have used, and their image encoders, open as long as the
 * checkpoint.
 */
public final class ImageAdapters implements AutoCloseable {
  private record Key(IpAdapter adapter, UNet2DConditionConfig unet) {}

  private final UsedModels<Key, IpAdapterModel> models =
      new UsedModels<>(key -> key.adapter().load(key.unet()));
  private final UsedModels<Path, CLIPVisionModel> encoders =
      new UsedModels<>(CLIPVisionModel::load);

  /**
   * An adapter's weights.
   *
   * @param adapter which one
   * @param unet of the U-Net that is to use it
   * @return the model, which nobody else closes
   * @throws IllegalArgumentException if it cannot be opened, or is for another U-Net
   */
  public IpAdapterModel model(IpAdapter adapter, UNet2DConditionConfig unet) {
    return models.get(new Key(adapter, unet));
  }

  /**
   * The image encoder of an adapter.
   *
   * @param adapter which one
   * @return the model, which nobody else closes
   * @throws IllegalArgumentException if it has none, or it cannot be opened
   */
  public CLIPVisionModel encoder(IpAdapter adapter) {
    return encoders.get(
        adapter
            .imageEncoder()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "[ip-adapter] %s has no image encoder beside it: name its folder, or give the images encoded."
                            .formatted(adapter))));
  }

  /**
   * Whether the files of those that are open are still as long as they were.
   *
   * @throws InvalidFileException with the name of one that was cut short
   */
  public void requireWholeFiles() throws InvalidFileException {
    models.requireWholeFiles();
    encoders.requireWholeFiles();
  }

  @Override
  public void close() {
    models.close();
    encoders.close();
  }
}
