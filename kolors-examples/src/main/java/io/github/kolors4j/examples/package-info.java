/** Small programs that show how the library is used. */
package io.github.kolors4j.examples;
