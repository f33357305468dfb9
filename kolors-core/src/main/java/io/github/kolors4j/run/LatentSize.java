package io.github.kolors4j.run;

/** The extents of the latents of one image. */
record LatentSize(int channels, int height, int width) {
  int cells() {
    return height * width;
  }

  int values() {
    return channels * cells();
  }
}
