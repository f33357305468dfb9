/**
 * Pictures: from files and {@code BufferedImage} to the VAE's values, and from those to RGB bytes
 * and PNG.
 */
@NullMarked
package io.github.kolors4j.image;

import org.jspecify.annotations.NullMarked;
