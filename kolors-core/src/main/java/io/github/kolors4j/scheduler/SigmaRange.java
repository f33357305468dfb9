package io.github.kolors4j.scheduler;

/**
 * The ends between which a law spaces sigmas.
 *
 * @param max the greatest
 * @param min the least
 */
record SigmaRange(double max, double min) {}
