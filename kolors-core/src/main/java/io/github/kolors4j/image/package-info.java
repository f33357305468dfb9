/** Finished pictures: from the VAE's values to RGB bytes, {@code BufferedImage} and PNG. */
package io.github.kolors4j.image;
