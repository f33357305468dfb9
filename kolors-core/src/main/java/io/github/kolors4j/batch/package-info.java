/** Tables of requests: many pictures in a row, gone on with after whatever ended them. */
@NullMarked
package io.github.kolors4j.batch;

import org.jspecify.annotations.NullMarked;
