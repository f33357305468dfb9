package io.github.kolors4j.hub;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * A repository that the cache has something of.
 *
 * @param repo its name, without the source: a cache does not know from where a file came
 * @param folder of its files
 * @param refs the commit of each branch and tag that was asked for
 * @param commits those with a snapshot
 * @param bytes on the disk, each file once; without those in the store that repositories share
 * @param sharedBytes in that store
 * @param partialBytes of downloads that were not finished
 * @param modified when something was added last
 */
public record CachedRepo(
    RepoId repo,
    Path folder,
    Map<String, String> refs,
    List<String> commits,
    long bytes,
    long sharedBytes,
    long partialBytes,
    Instant modified) {}
