package io.github.kolors4j.controlnet;

import io.github.kolors4j.hub.HubException;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * The files of a ControlNet: a value, which a request names. A pipeline opens them when the first
 * request uses them, and closes them with itself.
 *
 * <p>Two are equal where their configurations, the names and shapes of their tensors and, as far as
 * a few kilobytes of samples tell, the values are the same, wherever the files are.
 */
public final class ControlNet {
  private final Path directory;
  private final String identity;

  private ControlNet(Path directory, String identity) {
    this.directory = directory;
    this.identity = identity;
  }

  /**
   * A ControlNet in its folder, as {@code Kolors-ControlNet-Canny} is published.
   *
   * @param directory its folder, with {@code config.json} and the weights
   * @return the ControlNet
   * @throws InvalidFileException if a file, a config value or a tensor is missing or wrong
   * @throws IOException if a file cannot be read
   */
  public static ControlNet of(Path directory) throws IOException {
    try (ControlNetModel model = ControlNetModel.load(directory)) {
      return new ControlNet(directory, model.identity());
    }
  }

  /**
   * A ControlNet as people name one in a setting: a folder if there is one of that name, else a
   * repository of the hub, which is downloaded if it is not in the cache; diffusers' {@code
   * from_pretrained}.
   *
   * @param name a folder, {@code owner/name} as {@code Kwai-Kolors/Kolors-ControlNet-Canny}, {@code
   *     owner/name@revision}, or {@code modelscope://owner/name}
   * @return the ControlNet
   * @throws HubException if the repository cannot be had; the message says what to do
   * @throws InvalidFileException if a file, a config value or a tensor is missing or wrong
   * @throws IOException if a file cannot be read or written
   * @throws IllegalArgumentException if it can be neither
   * @see ModelReference
   */
  public static ControlNet fromPretrained(String name) throws IOException {
    return of(ModelReference.parse(name).directory(Variant.DEFAULT));
  }

  /**
   * A ControlNet that is known and not looked at yet: it is when it is used, and must be the same
   * then.
   *
   * @param directory where it is
   * @param identity as {@link #identity} tells it
   * @return the ControlNet
   */
  public static ControlNet reference(Path directory, String identity) {
    return new ControlNet(
        Objects.requireNonNull(directory, "directory"),
        Objects.requireNonNull(identity, "identity"));
  }

  /**
   * Opens it. Its weights are mapped, not read.
   *
   * @return the model, to be closed
   * @throws InvalidFileException if it is another one by now, or something of it is missing or
   *     wrong
   * @throws IOException if it cannot be read
   */
  public ControlNetModel load() throws IOException {
    ControlNetModel model = ControlNetModel.load(directory);
    try {
      if (!model.identity().equals(identity)) {
        throw new InvalidFileException(
            "[controlnet] %s is another one than the one that was named, whose identity is %s."
                .formatted(directory, identity));
      }
      return model;
    } catch (Throwable e) {
      model.close();
      throw e;
    }
  }

  /**
   * Where it is.
   *
   * @return the folder
   */
  public Path directory() {
    return directory;
  }

  /**
   * What tells it from others.
   *
   * @return 64 hexadecimal digits
   * @see ControlNetModel#identity
   */
  public String identity() {
    return identity;
  }

  /**
   * This ControlNet without the folders above its own, as a picture names it.
   *
   * @return one that has the name of its folder alone
   */
  public ControlNet withoutFolders() {
    Path name = directory.toAbsolutePath().normalize().getFileName();
    return name == null ? this : new ControlNet(name, identity);
  }

  /** Whether it is one of the same weights. */
  @Override
  public boolean equals(Object other) {
    return other instanceof ControlNet net && identity.equals(net.identity);
  }

  @Override
  public int hashCode() {
    return identity.hashCode();
  }

  /** The folder's name. */
  @Override
  public String toString() {
    return String.valueOf(withoutFolders().directory);
  }
}
