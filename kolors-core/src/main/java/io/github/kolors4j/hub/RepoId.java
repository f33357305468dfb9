package io.github.kolors4j.hub;

import java.util.regex.Pattern;

/**
 * The name of a repository of weights, as {@code Kwai-Kolors/Kolors-diffusers}.
 *
 * @param source where it is
 * @param owner who published it
 * @param name its name
 */
public record RepoId(Source source, String owner, String name) {
  private static final String MODELSCOPE_SCHEME = "modelscope://";
  private static final int LONGEST = 96;

  /** Letters, digits and the three signs, of which none but the underscore stands at an end. */
  private static final Pattern PART = Pattern.compile("\\w(?:[\\w.-]*\\w)?");

  /** Where repositories are. */
  public enum Source {
    /** The Hugging Face hub, or a mirror of it. */
    HUGGING_FACE("main"),
    /** ModelScope. */
    MODELSCOPE("master");

    private final String defaultRevision;

    Source(String defaultRevision) {
      this.defaultRevision = defaultRevision;
    }

    /**
     * The branch that is meant where none is named.
     *
     * @return {@code main}, or {@code master} at ModelScope
     */
    public String defaultRevision() {
      return defaultRevision;
    }
  }

  /**
   * Checks the name.
   *
   * @throws IllegalArgumentException if it can be none of a repository
   */
  public RepoId {
    String both = owner + "/" + name;
    if (!isPart(owner) || !isPart(name) || both.length() > LONGEST || name.endsWith(".git")) {
      throw refused(both);
    }
  }

  private static IllegalArgumentException refused(String name) {
    return new IllegalArgumentException(
        "[hub] \"%s\" is not the name of a repository: write owner/name, as Kwai-Kolors/Kolors-diffusers."
            .formatted(name));
  }

  private static boolean isPart(String part) {
    return PART.matcher(part).matches() && !part.contains("--") && !part.contains("..");
  }

  /**
   * Reads {@code owner/name} or {@code modelscope://owner/name}.
   *
   * @param text the name
   * @return the repository
   * @throws IllegalArgumentException if it can be none of a repository
   */
  public static RepoId parse(String text) {
    boolean modelScope = text.startsWith(MODELSCOPE_SCHEME);
    String both = modelScope ? text.substring(MODELSCOPE_SCHEME.length()) : text;
    int slash = both.indexOf('/');
    if (slash < 0) {
      throw refused(both);
    }
    return new RepoId(
        modelScope ? Source.MODELSCOPE : Source.HUGGING_FACE,
        both.substring(0, slash),
        both.substring(slash + 1));
  }

  /**
   * The name without the source, as {@code Kwai-Kolors/Kolors-diffusers}.
   *
   * @return owner and name
   */
  public String path() {
    return owner + "/" + name;
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return source == Source.MODELSCOPE ? MODELSCOPE_SCHEME + path() : path();
  }
}
