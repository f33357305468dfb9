/**
 * Kolors as an engine of Deep Java Library (DJL). Criteria with {@code
 * optModelUrls("kolors:///path/to/checkpoint")} need nothing of this package by name.
 */
@NullMarked
package io.github.kolors4j.djl;

import org.jspecify.annotations.NullMarked;
