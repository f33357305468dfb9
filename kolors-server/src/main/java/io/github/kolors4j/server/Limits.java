package io.github.kolors4j.server;

/**
 * The most that one request may ask for or bring.
 *
 * @param maxBodyBytes of a request
 * @param maxPixels of a picture that is made, width times height
 * @param maxInputPixels of a picture that is sent
 * @param maxImages that one request makes
 * @param maxSteps of one picture
 */
record Limits(long maxBodyBytes, long maxPixels, long maxInputPixels, int maxImages, int maxSteps) {
  static final Limits DEFAULT = new Limits(32L << 20, 2048L * 2048, 40_000_000, 10, 1000);

  Limits withMaxBodyBytes(long bytes) {
    return new Limits(bytes, maxPixels, maxInputPixels, maxImages, maxSteps);
  }

  Limits withMaxPixels(long pixels) {
    return new Limits(maxBodyBytes, pixels, maxInputPixels, maxImages, maxSteps);
  }

  Limits withMaxImages(int images) {
    return new Limits(maxBodyBytes, maxPixels, maxInputPixels, images, maxSteps);
  }
}
