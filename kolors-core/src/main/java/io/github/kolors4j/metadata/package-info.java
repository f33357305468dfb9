/** Pictures that know how they were made: what is written into their files, and read again. */
@NullMarked
package io.github.kolors4j.metadata;

import org.jspecify.annotations.NullMarked;
