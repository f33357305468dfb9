package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.json.ForeignText;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A file of a repository, as the hub lists it.
 *
 * @param path inside of the repository, with {@code /}
 * @param size in bytes
 * @param blobId the SHA-1 that git gives the file, or the one of its pointer where the hub keeps
 *     the file itself elsewhere; empty from ModelScope
 * @param sha256 of the content, of files that are kept elsewhere
 * @param xetHash how the hub's own store calls it, if it does
 */
public record RepoFile(
    String path, long size, String blobId, Optional<String> sha256, Optional<String> xetHash) {

  private static final Pattern HASH = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");

  /** Control characters, and what Windows or a URL would understand otherwise. */
  private static final Pattern FORBIDDEN = Pattern.compile("[\\p{Cntrl}\\\\:*?\"<>|]");

  /**
   * Checks that it can be a file below a folder of ours.
   *
   * @throws IllegalArgumentException if the path leads elsewhere, the size is negative, or a hash
   *     is none
   */
  public RepoFile {
    if (!isInside(path)) {
      throw new IllegalArgumentException(
          "[hub] the server lists a file %s, which is no name inside of a repository: nothing was written."
              .formatted(ForeignText.quoted(path)));
    }
    if (size < 0 || !HASH.matcher(sha256.orElse(blobId)).matches()) {
      throw new IllegalArgumentException(
          "[hub] the server lists %s with size %s and hash %s: a size in bytes and 40 or 64 hexadecimal digits are needed."
              .formatted(path, size, ForeignText.quoted(sha256.orElse(blobId))));
    }
  }

  private static boolean isInside(String path) {
    if (FORBIDDEN.matcher(path).find()) {
      return false;
    }
    for (String part : path.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..") || part.endsWith(" ")) {
        return false;
      }
    }
    return true;
  }

  /**
   * The name of its content in the cache: what Python calls {@code etag}.
   *
   * @return the SHA-256, or git's SHA-1 of a small file
   */
  public String etag() {
    return sha256.orElse(blobId);
  }

  /** The path's last part. */
  String name() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** The folder that it is in, empty for the root. */
  String folder() {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }
}
