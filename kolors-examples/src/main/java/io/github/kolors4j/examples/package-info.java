/** Small programs that show how the library is used, and the checkpoint that they run on. */
package io.github.kolors4j.examples;
