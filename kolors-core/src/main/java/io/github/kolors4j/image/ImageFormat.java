package io.github.kolors4j.image;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The formats that pictures are written in. */
public enum ImageFormat {
  /** Every pixel as it is. */
  PNG("image/png", ".png"),
  /** Smaller, and not every pixel as it is: quality 95, colours at full resolution. */
  JPEG("image/jpeg", ".jpg", ".jpeg");

  private final String mediaType;
  private final List<String> suffixes;

  ImageFormat(String mediaType, String... suffixes) {
    this.mediaType = mediaType;
    this.suffixes = List.of(suffixes);
  }

  /**
   * The name of the format on the web.
   *
   * @return as {@code image/png}
   */
  public String mediaType() {
    return mediaType;
  }

  /**
   * The format that a file's name promises; capitals do not matter.
   *
   * @param file the name, with or without folders
   * @return the format, or nothing for a name with another ending, or none
   */
  public static Optional<ImageFormat> of(Path file) {
    Path name = file.getFileName();
    String lower = name == null ? "" : name.toString().toLowerCase(Locale.ROOT);
    return Arrays.stream(values())
        .filter(format -> format.suffixes.stream().anyMatch(lower::endsWith))
        .findFirst();
  }
}
