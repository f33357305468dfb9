/** Checkpoints of random weights, to measure a model without having it. */
@NullMarked
package io.github.kolors4j.cli.synthetic;

import org.jspecify.annotations.NullMarked;
