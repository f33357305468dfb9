package io.github.kolors4j.hub;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a revision of a repository has.
 *
 * @param revision what was asked for
 * @param commit 40 hexadecimal digits, which name these files and no others
 * @param files all of them
 * @param licence the terms
 */
public record RepoListing(
    RepoRevision revision, String commit, List<RepoFile> files, Licence licence) {

  /**
   * Checks the list.
   *
   * @throws IllegalArgumentException if the commit is none, a file comes twice, or one is a folder
   *     of another
   */
  public RepoListing {
    files = List.copyOf(files);
    if (!RepoRevision.isCommit(commit)) {
      throw new IllegalArgumentException(
          "[hub] %s: the server answers \"%s\", which is not a commit."
              .formatted(revision, commit));
    }
    Set<String> paths = new HashSet<>();
    for (RepoFile file : files) {
      if (!paths.add(file.path())) {
        throw new IllegalArgumentException(
            "[hub] %s: the server lists %s twice.".formatted(revision, file.path()));
      }
    }
    for (RepoFile file : files) {
      for (String folder = file.folder(); !folder.isEmpty(); folder = parent(folder)) {
        if (paths.contains(folder)) {
          throw new IllegalArgumentException(
              "[hub] %s: the server lists %s both as a file and as a folder."
                  .formatted(revision, folder));
        }
      }
    }
  }

  private static String parent(String folder) {
    return folder.substring(0, Math.max(0, folder.lastIndexOf('/')));
  }

  /**
   * One of the files.
   *
   * @param path inside of the repository
   * @return the file, if the revision has it
   */
  public Optional<RepoFile> find(String path) {
    return files.stream().filter(file -> file.path().equals(path)).findFirst();
  }
}
