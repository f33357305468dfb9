/** Prompts that were encoded before, remembered on disk. */
@NullMarked
package io.github.kolors4j.prompts;

import org.jspecify.annotations.NullMarked;
