/** The pipeline from a prompt to a picture, with its request and its result. */
package io.github.kolors4j;
