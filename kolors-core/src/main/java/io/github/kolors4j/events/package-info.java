/**
 * What Java Flight Recorder is told, under names that begin with {@code kolors4j.}: {@code
 * docs/jfr.md} says what to ask it. Without a recording nothing is collected.
 */
@NullMarked
package io.github.kolors4j.events;

import org.jspecify.annotations.NullMarked;
