package io.github.kolors4j.tensor;

/** A program that gives tensors of many lengths back when the heap has no room for one object. */
final class GivesBack {
  private static final int TENSORS = 1_000;

  private GivesBack() {}

  /** A list that takes what is left of the heap. */
  private record Filling(Filling rest, byte[] bytes) {}

  public static void main(String[] args) {
    try (ThreadPool threads = new ThreadPool(1)) {
      try (Workspace once = new Workspace(threads); // so that the classes are linked
          Workspace.Scope _ = once.scope()) {
        once.tensor(TENSORS);
      }
      Filling filling = null;
      try (Workspace workspace = new Workspace(threads);
          Workspace.Scope _ = workspace.scope()) {
        for (int i = 1; i <= TENSORS; i++) {
          workspace.tensor(i);
        }
        for (int length = 1 << 20; length > 0; length /= 4) {
          try {
            while (true) {
              filling = new Filling(filling, new byte[length]);
            }
          } catch (OutOfMemoryError _) {
            // and now with less
          }
        }
      } // and both give back
      long kept = 0;
      for (Filling each = filling; each != null; each = each.rest) {
        kept += each.bytes.length;
      }
      filling = null;
      System.out.print(kept > TENSORS ? "all given back" : "not full");
    }
  }
}
