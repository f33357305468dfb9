package io.github.kolors4j.hub;

import java.time.Duration;
import java.util.Optional;

/**
 * How far a pull is, over all of its files.
 *
 * @param files how many it has
 * @param filesDone how many are there, verified
 * @param bytes of all files
 * @param bytesDone how many are there, from this pull or from earlier ones
 * @param bytesFetched how many this pull has fetched
 * @param bytesPerSecond over the last seconds
 * @param timeLeft at that rate; empty while there is none
 */
public record PullProgress(
    int files,
    int filesDone,
    long bytes,
    long bytesDone,
    long bytesFetched,
    double bytesPerSecond,
    Optional<Duration> timeLeft) {}
