/** Time and memory of the stages and of the kernels. */
package io.github.kolors4j.cli.benchmarks;
