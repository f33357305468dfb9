/**
 * Many requests to one pipeline: a queue that is fair and has an end, futures, events for whoever
 * watches, and cancellation. What servers and other libraries' doors have in common.
 */
@NullMarked
package io.github.kolors4j.service;

import org.jspecify.annotations.NullMarked;
