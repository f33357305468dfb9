package io.github.kolors4j.tensor.kernel;

/** The program of a JVM that a test starts: which kernels run, and one small result of theirs. */
final class Probe {
  private Probe() {}

  public static void main(String[] args) {
    Kernels kernels = KernelProvider.kernels();
    float[] y = {1, 1, 1, 1, 1};
    float[] half = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
    kernels.scaleShift(y, 0, half, 0, new float[5], 0, y, 0, 5);
    KernelProvider.kernels();
    double sum = kernels.sum(y, 0, 5, new float[Kernels.SUM_LANES]);
    System.out.println("kernels=" + kernels.description() + " sum=" + sum);
  }
}
