/** A very small Kolors checkpoint that comes as a jar. */
package io.github.kolors4j.mini;
