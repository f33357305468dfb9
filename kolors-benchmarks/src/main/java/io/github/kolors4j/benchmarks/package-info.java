/** JMH benchmarks of the kernels. */
package io.github.kolors4j.benchmarks;
