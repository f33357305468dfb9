package io.github.kolors4j.image;

/** The filters by which a picture gets another size, as Pillow has them. */
public enum ResizeFilter {
  /** Lanczos' filter, three lobes wide: the sharpest. */
  LANCZOS(3) {
    @Override
    double weight(double x) {
      return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }
  },
  /** Keys' cubic filter of a half, two pixels wide, which CLIP's preprocessing takes. */
  BICUBIC(2) {
    @Override
    double weight(double x) {
      double distance = Math.abs(x);
      if (distance < 1) {
        return ((A + 2) * distance - (A + 3)) * distance * distance + 1;
      }
      return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * A : 0;
    }
  };

  private static final double A = -0.5;

  private final double support;

  ResizeFilter(double support) {
    this.support = support;
  }

  /** How far it reaches, in pixels of the smaller picture. */
  double support() {
    return support;
  }

  /** What a pixel at some distance counts, before all are brought to a sum of 1. */
  abstract double weight(double x);

  private static double sinc(double x) {
    double angle = x * Math.PI;
    return angle == 0 ? 1 : StrictMath.sin(angle) / angle;
  }
}
