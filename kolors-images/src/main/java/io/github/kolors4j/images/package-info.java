/**
 * Decoders of picture files that {@link io.github.kolors4j.image.KolorsImage} finds by itself when
 * this module is there.
 */
@NullMarked
package io.github.kolors4j.images;

import org.jspecify.annotations.NullMarked;
