package io.github.kolors4j.safetensors;

/**
 * Which of several copies of a model's weights to open: file names tell them apart, as {@code
 * model.fp16.safetensors} and {@code model.safetensors}.
 *
 * @param name as in the file name, such as {@code fp16}; empty for the plain name
 * @param orPlain whether the plain files will do where those of {@code name} are missing
 */
public record Variant(String name, boolean orPlain) {

  /**
   * Half precision where there is such a copy, else the plain files: half of the memory. Where
   * there is neither, but files of one other name, those.
   */
  public static final Variant DEFAULT = prefer("fp16");

  /** The plain files and no others. */
  public static final Variant PLAIN = new Variant("", false);

  /**
   * Checks the name.
   *
   * @throws IllegalArgumentException if {@code name} cannot be part of a file's name
   */
  public Variant {
    if (!name.isEmpty()) {
      FileNames.require("variant", name);
    }
  }

  /**
   * The files of that name if they are there, else the plain ones.
   *
   * @param name such as {@code fp16}
   * @return the choice
   * @throws IllegalArgumentException if {@code name} cannot be part of a file's name
   */
  public static Variant prefer(String name) {
    return new Variant(name, true);
  }

  /**
   * The files of that name; it is an error if they are missing.
   *
   * @param name such as {@code fp16}; empty for the plain files
   * @return the choice
   * @throws IllegalArgumentException if {@code name} cannot be part of a file's name
   */
  public static Variant only(String name) {
    return new Variant(name, false);
  }
}
