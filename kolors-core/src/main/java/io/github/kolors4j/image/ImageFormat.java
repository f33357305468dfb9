package io.github.kolors4j.image;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/** The formats that pictures are written in. */
public enum ImageFormat {
  /** Every pixel as it is. */
  PNG("image/png", "\\.png"),
  /** Smaller, and not every pixel as it is: quality 95, colours at full resolution. */
  JPEG("image/jpeg", "\\.jpe?g");

  private final String mediaType;
  private final Pattern suffix;

  ImageFormat(String mediaType, String suffix) {
    this.mediaType = mediaType;
    this.suffix = Pattern.compile(suffix + "$", Pattern.CASE_INSENSITIVE);
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
    return Arrays.stream(values())
        .filter(format -> name != null && format.suffix.matcher(name.toString()).find())
        .findFirst();
  }
}
