/** The command line: {@code ./kolors}. */
package io.github.kolors4j.cli;
