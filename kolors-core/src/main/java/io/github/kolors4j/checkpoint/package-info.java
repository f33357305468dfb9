/**
 * A model's files: its configuration, its parameters by name, adapters that change them, and what
 * it takes to write all of it again. Knows no model.
 */
@NullMarked
package io.github.kolors4j.checkpoint;

import org.jspecify.annotations.NullMarked;
