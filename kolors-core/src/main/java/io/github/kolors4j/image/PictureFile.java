package io.github.kolors4j.image;

import io.github.kolors4j.safetensors.InvalidFileException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Pictures of strangers: from the bytes of a file, a stream or an array to one that is upright. */
final class PictureFile {
  private static final List<PictureDecoder> DECODERS = decoders();

  private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

  private PictureFile() {}

  private static List<PictureDecoder> decoders() {
    List<PictureDecoder> decoders = new ArrayList<>();
    decoders.add(new PngDecoder());
    decoders.add(new JpegDecoder());
    decoders.add(new GifDecoder());
    decoders.add(new BmpDecoder());
    ServiceLoader.load(PictureDecoder.class, PictureDecoder.class.getClassLoader())
        .forEach(decoders::add);
    return List.copyOf(decoders);
  }

  static KolorsImage read(Path file, PictureLimits limits) throws IOException {
    return read(open(file, limits));
  }

  /** All of a file, with the messages that its faults have. */
  static PictureSource open(Path file, PictureLimits limits) throws IOException {
    String name = file.toString();
    if (Files.isDirectory(file)) {
      throw new InvalidFileException(
          "[image] " + name + " is a folder: give the name of a picture file.");
    }
    try (InputStream in = Files.newInputStream(file)) {
      checkLength(name, Files.size(file), limits);
      return source(in, name, limits);
    } catch (InvalidPictureException e) {
      throw e;
    } catch (NoSuchFileException e) {
      throw new InvalidFileException("[image] " + name + " does not exist.", e);
    } catch (IOException e) {
      throw new IOException("[image] " + name + " cannot be read (" + reason(e) + ").", e);
    }
  }

  static KolorsImage read(InputStream in, String name, PictureLimits limits) throws IOException {
    return read(source(in, name, limits));
  }

  static KolorsImage read(PictureSource source) throws InvalidPictureException {
    checkLength(source.name(), source.bytes().length, source.limits());
    for (PictureDecoder decoder : DECODERS) {
      if (decoder.accepts(source)) {
        return decode(decoder, source);
      }
    }
    Optional<String> foreign = ofOtherModules(source);
    if (foreign.isPresent()) {
      throw source.fault(
          "is a %s file, which no module here reads: add kolors-images, or convert it to PNG",
          foreign.get());
    }
    throw source.fault(
        "is no picture that can be read: %s are the formats",
        DECODERS.stream()
            .flatMap(decoder -> decoder.formats().stream())
            .collect(Collectors.joining(", ")));
  }

  /** Of a PNG that has any; any other picture has none. */
  static Optional<KolorsImage> readTransparency(PictureSource source)
      throws InvalidPictureException {
    checkLength(source.name(), source.bytes().length, source.limits());
    PngDecoder png = new PngDecoder();
    if (!png.accepts(source)) {
      return Optional.empty();
    }
    KolorsImage transparency = decode(png::transparency, source);
    for (byte value : transparency.bytes()) {
      if (value != 0) {
        return Optional.of(transparency);
      }
    }
    return Optional.empty();
  }

  private interface Decoding {
    DecodedPicture decode(PictureSource source) throws IOException;
  }

  private static KolorsImage decode(PictureDecoder decoder, PictureSource source)
      throws InvalidPictureException {
    return decode(decoder::decode, source);
  }

  private static KolorsImage decode(Decoding decoder, PictureSource source)
      throws InvalidPictureException {
    try {
      return decoder.decode(source).upright();
    } catch (InvalidPictureException e) {
      throw e;
    } catch (OutOfMemoryError e) {
      throw outOfMemory(source.name(), e);
    } catch (IOException | RuntimeException | StackOverflowError e) {
      // The libraries throw all kinds of things at bytes that they did not expect.
      throw source.damaged(e);
    }
  }

  /** All of a stream, unless it is longer than it may be; its own faults go through unchanged. */
  private static PictureSource source(InputStream in, String name, PictureLimits limits)
      throws IOException {
    long heap = Runtime.getRuntime().maxMemory();
    int most = (int) Math.min(Math.min(limits.maxBytes(), heap), LONGEST_ARRAY - 1);
    byte[] bytes;
    try {
      bytes = in.readNBytes(most + 1);
    } catch (OutOfMemoryError e) {
      throw outOfMemory(name, e);
    }
    checkLength(name, bytes.length, limits.withMaxBytes(most));
    return new PictureSource(name, bytes, limits);
  }

  private static void checkLength(String name, long length, PictureLimits limits)
      throws InvalidPictureException {
    if (length > limits.maxBytes()) {
      throw new PictureSource(name, new byte[0], limits)
          .fault("is longer than %,d bytes, which are the most", limits.maxBytes());
    }
  }

  /** The format of a file that another module reads, if only it were there. */
  private static Optional<String> ofOtherModules(PictureSource source) {
    if (source.has(0, 'I', 'I', 42, 0) || source.has(0, 'M', 'M', 0, 42)) {
      return Optional.of("TIFF");
    }
    boolean webp = source.has(0, 'R', 'I', 'F', 'F') && source.has(8, 'W', 'E', 'B', 'P');
    return webp ? Optional.of("WebP") : Optional.empty();
  }

  private static OutOfMemoryError outOfMemory(String name, OutOfMemoryError cause) {
    OutOfMemoryError error =
        new OutOfMemoryError(
            "[image] %s does not fit into the Java heap (%s): use a smaller picture, or start Java"
                    .formatted(name, cause.getMessage())
                + " with a larger -Xmx.");
    error.initCause(cause);
    return error;
  }

  /** What the system said, without the file, which is all that the message of some has. */
  static String reason(IOException cause) {
    return switch (cause) {
      case AccessDeniedException _ -> "permission denied";
      case FileSystemException e when e.getReason() != null -> e.getReason();
      case FileSystemException e -> e.getClass().getSimpleName();
      default -> cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    };
  }
}
