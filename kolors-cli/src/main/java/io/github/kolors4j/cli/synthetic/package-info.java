/** Checkpoints of random weights, to measure a model without having it. */
package io.github.kolors4j.cli.synthetic;
