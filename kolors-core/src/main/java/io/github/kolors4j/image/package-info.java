/**
 * Pictures: from files and {@code BufferedImage} to the VAE's values, and from those to RGB bytes
 * and PNG.
 */
package io.github.kolors4j.image;
