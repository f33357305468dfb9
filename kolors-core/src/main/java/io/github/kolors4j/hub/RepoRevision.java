package io.github.kolors4j.hub;

import java.util.regex.Pattern;

/**
 * A repository as it was or is at a branch, a tag or a commit.
 *
 * @param repo the repository
 * @param revision the branch, the tag, or the 40 hexadecimal digits of a commit
 */
public record RepoRevision(RepoId repo, String revision) {
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /** Parts between slashes, of what git allows in a name; a revision is the name of a file too. */
  private static final Pattern NAME =
      Pattern.compile("[\\w+=%-][\\w.+=%-]*(?:/[\\w+=%-][\\w.+=%-]*)*");

  /**
   * Checks the revision.
   *
   * @throws IllegalArgumentException if it can be none
   */
  public RepoRevision {
    if (!NAME.matcher(revision).matches() || revision.contains("..")) {
      throw new IllegalArgumentException(
          "[hub] \"%s\" is not a revision: use a branch, a tag or a commit.".formatted(revision));
    }
  }

  /**
   * Reads {@code owner/name} or {@code owner/name@revision}, also after {@code modelscope://}.
   *
   * @param text repository and revision
   * @return both; without a revision that of the source's usual branch
   * @throws IllegalArgumentException if either cannot be
   */
  public static RepoRevision parse(String text) {
    int at = text.indexOf('@');
    RepoId repo = RepoId.parse(at < 0 ? text : text.substring(0, at));
    return at < 0 ? of(repo) : new RepoRevision(repo, text.substring(at + 1));
  }

  /**
   * The usual branch of a repository.
   *
   * @param repo the repository
   * @return {@code main}, or {@code master} at ModelScope
   */
  public static RepoRevision of(RepoId repo) {
    return new RepoRevision(repo, repo.source().defaultRevision());
  }

  /**
   * Whether this names a commit, whose files never change.
   *
   * @return true for 40 hexadecimal digits
   */
  public boolean isCommit() {
    return isCommit(revision);
  }

  static boolean isCommit(String revision) {
    return COMMIT.matcher(revision).matches();
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return repo + "@" + revision;
  }
}
