package io.github.kolors4j.tensor;

/** A program that makes an array for which what a workspace has free must go. */
final class FullHeap {
  private static final int VALUES = 10_000_000;

  private FullHeap() {}

  public static void main(String[] args) {
    try (ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      int made = 0;
      try (Workspace.Scope _ = workspace.scope()) {
        made += workspace.tensor(VALUES).data().length;
      }
      made += new float[VALUES].length;
      System.out.print(made / VALUES == 2 ? "40 MB twice" : "not made");
    }
  }
}
