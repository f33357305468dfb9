/**
 * A checkpoint's components, opened together, closed together and written again. Not exported: a
 * user sees them through the pipeline.
 */
@NullMarked
package io.github.kolors4j.components;

import org.jspecify.annotations.NullMarked;
