/** The pipeline from a prompt to a picture, with its request and its result. */
@NullMarked
package io.github.kolors4j;

import org.jspecify.annotations.NullMarked;
