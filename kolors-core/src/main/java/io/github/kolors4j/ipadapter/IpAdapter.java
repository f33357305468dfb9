package io.github.kolors4j.ipadapter;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.hub.HubException;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.safetensors.Variant;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files of an image adapter and of the image encoder that it was made with: a value, which a
 * request names. A pipeline opens them when the first request uses them, and closes them with
 * itself.
 *
 * <p>Two adapters are equal where their tensors have the same names and shapes, and the same values
 * as far as a few kilobytes of samples tell, wherever the files are.
 *
 * @see <a href="https://arxiv.org/abs/2308.06721">Ye et al., 2023</a>
 */
public final class IpAdapter {
  /** What an adapter takes. */
  public enum Kind {
    /** Images: Kolors-IP-Adapter-Plus. */
    PLUS,
    /** A face's embedding and its picture: Kolors-IP-Adapter-FaceID-Plus. */
    FACE_ID_PLUS
  }

  /** What the file may be called in a folder. */
  private static final List<String> FILES =
      List.of(
          "ip_adapter_plus_general.safetensors",
          "ip_adapter_plus_general.bin",
          "ipa-faceid-plus.safetensors",
          "ipa-faceid-plus.bin");

  /** What the image encoder's folder may be called beside it. */
  private static final List<String> ENCODERS =
      List.of("image_encoder", "clip-vit-large-patch14-336");

  private static final String CONFIG = "config.json";

  private final Path file;
  private final Optional<Path> imageEncoder;
  private final Kind kind;
  private final String identity;
  private final int imageSize;

  private IpAdapter(
      Path file, Optional<Path> imageEncoder, Kind kind, String identity, int imageSize) {
    this.file = file;
    this.imageEncoder = imageEncoder;
    this.kind = kind;
    this.identity = identity;
    this.imageSize = imageSize;
  }

  /**
   * An adapter with the image encoder in the folder {@code image_encoder} or {@code
   * clip-vit-large-patch14-336} beside it, if there is one: without it, images have to be given
   * encoded.
   *
   * @param path the folder of it, as published; or its file, of safetensors or of {@code
   *     torch.save}, of which only tensors are read and no code is run
   * @return the adapter
   * @throws InvalidFileException if it is no adapter of a known kind
   * @throws IOException if a file cannot be read
   */
  public static IpAdapter of(Path path) throws IOException {
    Path file = file(path);
    Optional<Path> encoder =
        ENCODERS.stream()
            .map(file::resolveSibling)
            .filter(folder -> Files.isRegularFile(folder.resolve(CONFIG)))
            .findFirst();
    return of(file, encoder);
  }

  /**
   * An adapter with an image encoder from elsewhere.
   *
   * @param path the folder of the adapter, or its file
   * @param imageEncoder the folder of the encoder, with {@code config.json} and the weights
   * @return the adapter
   * @throws InvalidFileException if it is no adapter of a known kind
   * @throws IOException if a file cannot be read
   */
  public static IpAdapter of(Path path, Path imageEncoder) throws IOException {
    return of(file(path), Optional.of(imageEncoder));
  }

  /**
   * An adapter as people name one in a setting: a folder or a file if there is one of that name,
   * else a repository of the hub, which is downloaded with its image encoder if it is not in the
   * cache.
   *
   * @param name a folder, a file, {@code owner/name} as {@code Kwai-Kolors/Kolors-IP-Adapter-Plus},
   *     {@code owner/name@revision}, or {@code modelscope://owner/name}
   * @return the adapter
   * @throws HubException if the repository cannot be had; the message says what to do
   * @throws InvalidFileException if it is no adapter of a known kind
   * @throws IOException if a file cannot be read or written
   * @throws IllegalArgumentException if it can be neither
   * @see ModelReference
   */
  public static IpAdapter fromPretrained(String name) throws IOException {
    return of(ModelReference.parse(name).directory(Variant.DEFAULT));
  }

  private static IpAdapter of(Path file, Optional<Path> encoder) throws IOException {
    int imageSize = encoder.isPresent() ? CLIPVisionModel.config(encoder.get()).imageSize() : 0;
    try (TensorSource source = TensorSource.open(file)) {
      return new IpAdapter(
          file, encoder, IpAdapterConfig.kind(source), Identity.of(source), imageSize);
    }
  }

  /**
   * An adapter that is known and not looked at yet: it is when it is used, and must be the same
   * then.
   *
   * @param file where it is
   * @param imageEncoder where its image encoder is
   * @param kind as {@link #kind} tells it
   * @param identity as {@link #identity} tells it
   * @param imageSize as {@link #imageSize} tells it
   * @return the adapter
   */
  public static IpAdapter reference(
      Path file, Optional<Path> imageEncoder, Kind kind, String identity, int imageSize) {
    return new IpAdapter(file, imageEncoder, kind, identity, imageSize);
  }

  private static Path file(Path path) throws InvalidFileException {
    if (!Files.isDirectory(path)) {
      return path;
    }
    return FILES.stream()
        .map(path::resolve)
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidFileException(
                    "[ip-adapter] %s has none of %s: name the adapter's file itself."
                        .formatted(path, String.join(", ", FILES))));
  }

  /**
   * Opens its weights.
   *
   * @param unet the configuration of the U-Net that is to use it
   * @return the model, to be closed
   * @throws InvalidFileException if the file is another one by now, or is for another U-Net
   * @throws IOException if it cannot be read
   */
  public IpAdapterModel load(UNet2DConditionConfig unet) throws IOException {
    TensorSource source = TensorSource.open(file);
    try {
      if (!Identity.of(source).equals(identity)) {
        throw new InvalidFileException(
            "[ip-adapter] %s is another file than the one that was named, whose identity is %s."
                .formatted(file, identity));
      }
      return IpAdapterModel.of(source, unet);
    } catch (Throwable e) {
      source.close();
      throw e;
    }
  }

  /**
   * What it takes.
   *
   * @return images alone, or a face
   */
  public Kind kind() {
    return kind;
  }

  /**
   * Where its weights are.
   *
   * @return the file
   */
  public Path file() {
    return file;
  }

  /**
   * Where its image encoder is.
   *
   * @return the folder; empty where images have to be given encoded
   */
  public Optional<Path> imageEncoder() {
    return imageEncoder;
  }

  /**
   * What tells it from others.
   *
   * @return 64 hexadecimal digits: a hash over names, types and shapes of its tensors and over
   *     samples of them
   */
  public String identity() {
    return identity;
  }

  /**
   * Pixels of the pictures that its image encoder sees, in each direction.
   *
   * @return 336 for Kolors; 0 where there is no encoder
   */
  public int imageSize() {
    return imageSize;
  }

  /**
   * This adapter without its folders, as a picture names it.
   *
   * @return one that has the names of its files alone
   */
  public IpAdapter withoutFolders() {
    return new IpAdapter(
        file.getFileName(), imageEncoder.map(Path::getFileName), kind, identity, imageSize);
  }

  /** Whether it is an adapter of the same tensors. */
  @Override
  public boolean equals(Object other) {
    return other instanceof IpAdapter adapter && identity.equals(adapter.identity);
  }

  @Override
  public int hashCode() {
    return identity.hashCode();
  }

  /** The file's name. */
  @Override
  public String toString() {
    return String.valueOf(file.getFileName());
  }
}
