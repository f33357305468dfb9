/** Tables of requests on Apache Spark: many machines, one picture at a time on each. */
@NullMarked
package io.github.kolors4j.spark;

import org.jspecify.annotations.NullMarked;
