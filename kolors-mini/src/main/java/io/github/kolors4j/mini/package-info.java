/** A very small Kolors checkpoint that comes as a jar. */
@NullMarked
package io.github.kolors4j.mini;

import org.jspecify.annotations.NullMarked;
