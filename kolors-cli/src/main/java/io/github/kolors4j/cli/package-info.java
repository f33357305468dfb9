/** The command line: {@code ./kolors}. */
@NullMarked
package io.github.kolors4j.cli;

import org.jspecify.annotations.NullMarked;
