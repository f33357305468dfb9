/** Time and memory of the stages and of the kernels. */
@NullMarked
package io.github.kolors4j.cli.benchmarks;

import org.jspecify.annotations.NullMarked;
