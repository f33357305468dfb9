package io.github.kolors4j.tensor;

/** A program that gives tensors of many lengths back when the heap has no room for one object. */
final class GivesBack {
  private static final int TENSORS = 1_000;

  private GivesBack() {}

  /** A list that takes what is left of the heap. */
  private record Filling(Filling rest, byte[] bytes) {}

  public static void main(String[] args) {
    try (ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      try (Workspace.Scope _ = workspace.scope()) { // once, so that the classes are linked
        workspace.tensor(TENSORS);
      }
      Workspace.Scope scope = workspace.scope();
      for (int i = 1; i <= TENSORS; i++) {
        workspace.tensor(i);
      }
      Filling filling = null;
      for (int length = 1 << 20; length > 0; length /= 2) {
        try {
          while (true) {
            filling = new Filling(filling, new byte[length]);
          }
        } catch (OutOfMemoryError _) {
          // and now with less
        }
      }
      scope.close();
      long kept = 0;
      for (Filling each = filling; each != null; each = each.rest) {
        kept += each.bytes.length;
      }
      filling = null;
      System.out.print(kept > TENSORS ? "all given back" : "not full");
    }
  }
}
