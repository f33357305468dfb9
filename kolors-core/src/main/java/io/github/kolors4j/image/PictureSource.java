package io.github.kolors4j.image;

import io.github.kolors4j.safetensors.json.ForeignText;
import java.io.IOException;
import java.util.Locale;
import java.util.Objects;

/**
 * The bytes that a {@link PictureDecoder} reads, and what it may make of them.
 *
 * @param name what messages call it: a file, or what the caller has named a stream
 * @param bytes the whole file; not copied, and not to be changed
 * @param limits the largest picture that is wanted
 */
public record PictureSource(String name, byte[] bytes, PictureLimits limits) {
  private static final int RGB = 3;

  /** Longest texts that a message repeats, in characters: they come from anywhere. */
  private static final int LONGEST_NAME = 1000;

  private static final int LONGEST_REASON = 200;

  /** Checks that nothing is missing, and makes a name that a message can repeat. */
  public PictureSource {
    name = ForeignText.oneLine(Objects.requireNonNull(name, "name"), LONGEST_NAME);
    Objects.requireNonNull(bytes, "bytes");
    Objects.requireNonNull(limits, "limits");
  }

  /**
   * Whether the file has these bytes at an offset.
   *
   * @param offset counted from 0
   * @param values from 0 to 255 each
   * @return whether it is long enough and has them
   */
  public boolean has(int offset, int... values) {
    if (offset < 0 || offset > bytes.length - values.length) {
      return false;
    }
    for (int i = 0; i < values.length; i++) {
      if ((bytes[offset + i] & 255) != values[i]) {
        return false;
      }
    }
    return true;
  }

  /**
   * Refuses a picture of more pixels than the limit or the Java heap allows. A decoder calls it as
   * soon as it knows the size, before it makes room for a pixel.
   *
   * @param width pixels in a row
   * @param height rows
   * @param decodedBytes bytes a pixel that the decoder needs beside the three of the result
   * @throws InvalidPictureException if there are none, or too many
   */
  public void checkSize(long width, long height, int decodedBytes) throws InvalidPictureException {
    checkSize(width, height, decodedBytes, Runtime.getRuntime().maxMemory());
  }

  void checkSize(long width, long height, int decodedBytes, long heap)
      throws InvalidPictureException {
    if (width < 1 || height < 1) {
      throw fault("is %dx%d pixels: 1 is the least", width, height);
    }
    if (width > limits.maxPixels() / height) {
      throw fault("is %dx%d pixels: %,d in all are the most", width, height, limits.maxPixels());
    }
    long pixels = width * height;
    if (pixels > (Integer.MAX_VALUE - 8) / Math.max(RGB, decodedBytes)) {
      throw fault("is %dx%d pixels, which are more than an array can hold", width, height);
    }
    long needed = pixels * (RGB + decodedBytes) + bytes.length;
    if (needed > heap) {
      throw fault(
          "is %dx%d pixels, which take about %s of Java heap, and it can have %s: use a smaller"
              + " picture, or start Java with a larger -Xmx",
          width, height, megabytes(needed), megabytes(heap));
    }
  }

  /**
   * Refuses a file that is too short for its pixels, before there is room for them.
   *
   * @param width pixels in a row
   * @param height rows
   * @param mostPixels as many as its compression can put into a byte
   * @throws InvalidPictureException if that is so
   */
  public void checkPacking(long width, long height, int mostPixels) throws InvalidPictureException {
    if (width * height / mostPixels > bytes.length) {
      throw fault(
          "is cut short or damaged (%dx%d pixels in %,d bytes)", width, height, bytes.length);
    }
  }

  /**
   * A fault of this file.
   *
   * @param what goes on after the name, as {@code is of kind %d}; without a full stop
   * @param values those that {@code what} has places for
   * @return to be thrown
   */
  public InvalidPictureException fault(String what, Object... values) {
    return new InvalidPictureException(sentence(String.format(Locale.ROOT, what, values)));
  }

  /** A fault that a library has stumbled over; it has words for it if it was looking. */
  InvalidPictureException damaged(Throwable cause) {
    String message = cause instanceof IOException ? cause.getMessage() : null;
    String reason =
        message == null ? "" : " (" + ForeignText.oneLine(message, LONGEST_REASON) + ")";
    return new InvalidPictureException(
        sentence("is damaged or of a kind that is not supported" + reason), cause);
  }

  String sentence(String what) {
    return "[image] " + name + " " + what + ".";
  }

  static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MB", (bytes + 999_999) / 1_000_000);
  }

  /** The name and the length; never the bytes. */
  @Override
  public String toString() {
    return "PictureSource[" + name + ", " + bytes.length + " bytes]";
  }
}
