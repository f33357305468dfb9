/** What a request will take: its work, this machine's speed, and so its time. */
@NullMarked
package io.github.kolors4j.estimate;

import org.jspecify.annotations.NullMarked;
