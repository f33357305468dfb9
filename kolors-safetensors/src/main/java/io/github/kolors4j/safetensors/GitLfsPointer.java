package io.github.kolors4j.safetensors;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The small text that Git has in the place of a large file: a clone without Git LFS has these in
 * place of weights, and a reader of weights should say so.
 *
 * @see <a href="https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md">the format</a>
 */
public final class GitLfsPointer {
  /** What is wrong with a file that is one, and what helps; for the end of a message. */
  public static final String FAULT =
      "is a Git LFS pointer and not the file itself: run \"git lfs pull\" in the clone, or download"
          + " the file.";

  private static final byte[] BEGIN =
      "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);

  private GitLfsPointer() {}

  /**
   * Whether a file is a pointer.
   *
   * @param bytes the file's first ones, 64 or more where it has so many
   * @return whether they are the beginning of a pointer
   */
  public static boolean matches(byte[] bytes) {
    return bytes.length >= BEGIN.length
        && Arrays.equals(bytes, 0, BEGIN.length, BEGIN, 0, BEGIN.length);
  }
}
